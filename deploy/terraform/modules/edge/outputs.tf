output "certificate_arn" {
  description = "The certificate, once it is issued, for the module `gateway`."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "url" {
  description = "Where clients reach the gateway."
  value       = "https://${aws_route53_record.gateway.name}"
}
