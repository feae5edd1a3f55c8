variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "defaults" {
  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2
    error_message = "Two zones are the least."
  }
  assert {
    condition     = length(distinct([for s in concat(values(aws_subnet.public), values(aws_subnet.private)) : s.cidr_block])) == 4
    error_message = "No two subnets may have the same addresses."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_route.nat) == 2
    error_message = "Each zone must have a NAT gateway of its own."
  }
  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "A zone must use its own NAT gateway."
  }
  assert {
    condition     = length(aws_vpc_endpoint.service) == 0
    error_message = "Endpoints cost money, and are made only where they are asked for."
  }
  assert {
    condition     = alltrue([for s in concat(values(aws_subnet.public), values(aws_subnet.private)) : s.map_public_ip_on_launch == false])
    error_message = "Nothing may get a public address by itself."
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn
    error_message = "All traffic must be logged, encrypted."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Clients may come by HTTPS alone."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.testers) == 0
    error_message = "Nobody may reach a version that was not tried."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.gateway : rule.referenced_security_group_id == output.security_group_ids["load_balancer"]])
    error_message = "Only the load balancer may reach the gateway."
  }
  assert {
    condition     = [for rule in values(aws_vpc_security_group_egress_rule.shards) : rule.to_port] == [8000]
    error_message = "The gateway may reach the shards' port, and no other."
  }
  assert {
    condition     = output.public_cidrs == ["10.20.0.0/20", "10.20.16.0/20"]
    error_message = "The load balancer's addresses must be those of the public subnets."
  }
}
