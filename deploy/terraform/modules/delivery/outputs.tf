output "role_arn" {
  description = "The role, for `role-to-assume` of aws-actions/configure-aws-credentials."
  value       = aws_iam_role.this.arn
}

output "oidc_provider_arn" {
  description = "The identity provider of GitHub, for the next environment in this account."
  value       = local.provider
}
