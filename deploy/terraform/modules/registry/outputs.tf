output "url" {
  description = "The repository, for `docker push` and for `image` of the module `gateway`."
  value       = aws_ecr_repository.this.repository_url
}

output "arn" {
  description = "The repository, for the rights of the pipeline."
  value       = aws_ecr_repository.this.arn
}
