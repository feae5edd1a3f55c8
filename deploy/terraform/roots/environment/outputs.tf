output "url" {
  description = "Where clients reach the gateway."
  value       = module.edge.url
}

output "asked_ports" {
  description = "The ports that the gateway may connect to, of shards and of what collects its metrics."
  value       = sort([for port in local.shard_ports : tostring(port)])
}

output "cluster_name" {
  description = "The ECS cluster, for the pipeline."
  value       = module.gateway.cluster_name
}

output "bake_time_minutes" {
  description = "How long the old tasks stay, for the pipeline's watch, which must end before; null with `rolling`."
  value       = var.deployment == "blue_green" ? var.bake_time_minutes : null
}

output "service_name" {
  description = "The ECS service, for the pipeline."
  value       = module.gateway.service_name
}

output "shard_urls" {
  description = "Shard → the URL that the gateway asks."
  value       = module.gateway.shard_urls
}

output "shard_registry_arns" {
  description = "Shard → where its own ECS service registers."
  value       = module.gateway.shard_registry_arns
}

output "alarm_names" {
  description = "All alarms that call somebody."
  value       = module.observability.alarm_names
}

output "rollback_alarm_names" {
  description = "The alarms that take a deployment back."
  value       = module.observability.rollback_alarm_names
}

output "database_address" {
  description = "The database's host; null without a database."
  value       = one(module.store[*].address)
}

output "database_secret_arn" {
  description = "The secret with the password of the database's owner; null without a database."
  value       = one(module.store[*].secret_arn)
}

output "secret_arns" {
  description = "Name → the secret. Its value is written by a person."
  value       = module.secrets.arns
}
