output "state_bucket" {
  description = "The bucket for the state, for `bucket` in environments/*.s3.tfbackend."
  value       = aws_s3_bucket.state.bucket
}

output "registry_url" {
  description = "Where images are pushed to."
  value       = module.registry.url
}

output "kms_key_arn" {
  description = "The account's key, for `pull_key_arns` of the environments."
  value       = module.key.arn
}

output "role_arns" {
  description = "Environment → the role of its jobs."
  value       = { for name, delivery in module.delivery : name => delivery.role_arn }
}
