output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "A subnet in each zone, for the load balancer."
  value       = [for zone in keys(local.zones) : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "A subnet in each zone, for tasks and data."
  value       = [for zone in keys(local.zones) : aws_subnet.private[zone].id]
}

output "public_cidrs" {
  description = "The addresses of the load balancer: the gateway's `trusted_proxies`."
  value       = [for zone in keys(local.zones) : aws_subnet.public[zone].cidr_block]
}

output "security_group_ids" {
  description = "Name → security group: `load_balancer`, `gateway`, `store`, `volume`, `endpoints`."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
