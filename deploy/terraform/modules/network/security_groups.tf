# Who may connect to whom. What is not here is refused.

locals {
  groups = {
    load_balancer = "The load balancer: takes clients, asks the gateway"
    gateway       = "The gateway's tasks: asked by the load balancer, ask the shards"
    store         = "The database: asked by the gateway"
    volume        = "The file system: mounted by the gateway"
    endpoints     = "Endpoints of AWS's services: asked by the gateway"
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:other modules attach these groups: gateway and store
  for_each    = local.groups
  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.this["load_balancer"].id
  description       = "HTTPS from clients"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "testers" {
  for_each          = toset(var.test_client_cidrs)
  security_group_id = aws_security_group.this["load_balancer"].id
  description       = "HTTPS from those who try a new version"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.test_port
  to_port           = var.test_port
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  for_each                     = { requests = var.gateway_port, health = var.admin_port }
  security_group_id            = aws_security_group.this["load_balancer"].id
  referenced_security_group_id = aws_security_group.this["gateway"].id
  description                  = "To the gateway: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "gateway" {
  for_each                     = { requests = var.gateway_port, health = var.admin_port }
  security_group_id            = aws_security_group.this["gateway"].id
  referenced_security_group_id = aws_security_group.this["load_balancer"].id
  description                  = "From the load balancer: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_egress_rule" "shards" {
  for_each = {
    for pair in setproduct(local.shard_cidrs, var.shard_ports) : "${pair[0]}:${pair[1]}" => { cidr = pair[0], port = pair[1] }
  }
  security_group_id = aws_security_group.this["gateway"].id
  description       = "To the shards in ${each.value.cidr}"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

# The registry, the logs and the secrets; of the internet nothing but HTTPS.
resource "aws_vpc_security_group_egress_rule" "https" {
  count             = var.nat == "none" ? 0 : 1
  security_group_id = aws_security_group.this["gateway"].id
  description       = "HTTPS to the services of AWS, and to keys at a URL (jwks_url)"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# Image layers are in S3, whose endpoint has public addresses.
data "aws_prefix_list" "s3" {
  count = var.nat == "none" ? 1 : 0
  name  = "com.amazonaws.${data.aws_region.here.region}.s3"
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  count             = var.nat == "none" ? 1 : 0
  security_group_id = aws_security_group.this["gateway"].id
  description       = "HTTPS to S3"
  prefix_list_id    = data.aws_prefix_list.s3[0].id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

locals {
  # Group → the port on which the gateway asks it.
  asked = { store = 5432, volume = 2049, endpoints = 443 }
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each                     = local.asked
  security_group_id            = aws_security_group.this["gateway"].id
  referenced_security_group_id = aws_security_group.this[each.key].id
  description                  = "To the ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "asked" {
  for_each                     = local.asked
  security_group_id            = aws_security_group.this[each.key].id
  referenced_security_group_id = aws_security_group.this["gateway"].id
  description                  = "From the gateway"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}
