output "role_arn" {
  description = "The role, for `role-to-assume` of aws-actions/configure-aws-credentials."
  value       = aws_iam_role.this.arn
}
