output "arn" {
  description = "The key, for `kms_key_arn` of the other modules."
  value       = aws_kms_key.this.arn
}
