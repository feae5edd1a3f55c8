output "address" {
  description = "The database's host. It stays when the second database takes over."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "The database's port."
  value       = aws_db_instance.this.port
}

output "database" {
  description = "The database's name."
  value       = aws_db_instance.this.db_name
}

output "secret_arn" {
  description = "The secret with the user and the password, which RDS keeps and renews."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "identifier" {
  description = "The database's identifier, for `database_identifier` of the module `observability`."
  value       = aws_db_instance.this.identifier
}
