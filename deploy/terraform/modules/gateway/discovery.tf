# Names for the shards: the gateway asks http://SHARD.NAMESPACE:PORT, and each shard's ECS service registers its tasks there.

locals {
  namespace  = "${var.name}.internal"
  discovered = { for name, shard in var.shards : name => shard.port if shard.port != null }
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  count       = length(local.discovered) > 0 ? 1 : 0
  name        = local.namespace
  description = "The shards of ${var.name}"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "shard" {
  for_each = local.discovered
  name     = each.key

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this[0].id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10 # the gateway resolves names again every 5 seconds
    }
  }
}
