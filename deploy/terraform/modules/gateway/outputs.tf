output "load_balancer_arn" {
  description = "The load balancer, for the firewall of the module `edge`."
  value       = aws_lb.this.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer as its metrics name it, for the module `observability`."
  value       = aws_lb.this.arn_suffix
}

output "load_balancer_dns_name" {
  description = "The load balancer's own name, for the module `edge`."
  value       = aws_lb.this.dns_name
}

output "load_balancer_zone_id" {
  description = "The zone of that name, for the module `edge`."
  value       = aws_lb.this.zone_id
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The ECS cluster, for the rights of the pipeline."
  value       = aws_ecs_cluster.this.arn
}

output "service_name" {
  description = "The ECS service."
  value       = aws_ecs_service.this.name
}

output "role_arns" {
  description = "The roles of the tasks: `execution` and `task`."
  value       = { execution = aws_iam_role.execution.arn, task = aws_iam_role.task.arn }
}

output "shard_urls" {
  description = "Shard → the URL that the gateway asks."
  value       = local.urls
}

output "shard_registry_arns" {
  description = "Shard → the service in service discovery, for `service_registries` of the shard's own ECS service."
  value       = { for name, service in aws_service_discovery_service.shard : name => service.arn }
}
