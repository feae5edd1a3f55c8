variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "three_zones_on_the_smallest_network" {
  variables {
    cidr       = "192.168.240.0/20"
    zone_count = 3
  }
  assert {
    condition     = length(distinct([for s in concat(values(aws_subnet.public), values(aws_subnet.private)) : s.cidr_block])) == 6
    error_message = "Three zones must have six subnets."
  }
  assert {
    condition     = alltrue([for s in values(aws_subnet.private) : endswith(s.cidr_block, "/24")])
    error_message = "The smallest subnet must have 256 addresses."
  }
}

run "one_nat_gateway" {
  variables {
    nat        = "one"
    zone_count = 3
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(distinct([for route in values(aws_route.nat) : route.nat_gateway_id])) == 1
    error_message = "All zones must use the one NAT gateway."
  }
}

run "no_way_out" {
  variables {
    nat               = "none"
    endpoints_enabled = true
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0 && length(aws_vpc_security_group_egress_rule.https) == 0
    error_message = "Without NAT there must be no way to the internet."
  }
  assert {
    condition     = join(",", keys(aws_vpc_endpoint.service)) == "ecr.api,ecr.dkr,logs,secretsmanager"
    error_message = "Without NAT the registry, the logs and the secrets must have endpoints."
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.s3) == 1
    error_message = "Image layers are in S3, which tasks must reach."
  }
}

run "testers" {
  command = plan
  variables {
    test_client_cidrs = ["203.0.113.7/32", "198.51.100.0/24"]
    test_port         = 9443
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.testers) == 2 && alltrue([for rule in aws_vpc_security_group_ingress_rule.testers : rule.from_port == 9443 && rule.to_port == 9443])
    error_message = "Those who are named must reach the test listener, and nothing else."
  }
}

run "shards_elsewhere" {
  command = plan
  variables {
    shard_cidrs = ["10.30.0.0/16", "10.31.0.0/16"]
    shard_ports = [8000, 8443]
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.shards) == 4
    error_message = "Each network must be reachable on each port."
  }
}
