output "arns" {
  description = "Name → the secret's ARN, for `secrets` of the module `gateway`."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
