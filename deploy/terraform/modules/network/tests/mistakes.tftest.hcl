variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "no_network" {
  command = plan
  variables {
    cidr = "10.20.0.0"
  }
  expect_failures = [var.cidr]
}

run "network_too_small" {
  command = plan
  variables {
    cidr = "10.20.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "public_addresses" {
  command = plan
  variables {
    cidr = "203.0.112.0/20"
  }
  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan
  variables {
    zone_count = 1
  }
  expect_failures = [var.zone_count]
}

run "unknown_nat" {
  command = plan
  variables {
    nat = "two"
  }
  expect_failures = [var.nat]
}

run "no_way_to_the_registry" {
  command = plan
  variables {
    nat = "none"
  }
  expect_failures = [var.nat]
}

run "no_client" {
  command = plan
  variables {
    client_cidrs = []
  }
  expect_failures = [var.client_cidrs]
}

run "privileged_port" {
  command = plan
  variables {
    gateway_port = 80
  }
  expect_failures = [var.gateway_port]
}

run "metrics_for_everybody" {
  command = plan
  variables {
    admin_port = 8080
  }
  expect_failures = [var.admin_port]
}

run "no_port" {
  command = plan
  variables {
    shard_ports = [0]
  }
  expect_failures = [var.shard_ports]
}

run "a_host_is_no_network" {
  command = plan
  variables {
    shard_cidrs = ["shards.internal"]
  }
  expect_failures = [var.shard_cidrs]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/shardgate"
  }
  expect_failures = [var.kms_key_arn]
}

run "retention_that_aws_does_not_know" {
  command = plan
  variables {
    log_retention_in_days = 100
  }
  expect_failures = [var.log_retention_in_days]
}

run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}

run "testers_without_a_network" {
  command = plan
  variables {
    test_client_cidrs = ["ci.example.com"]
  }
  expect_failures = [var.test_client_cidrs]
}

run "everybody_tests" {
  command = plan
  variables {
    test_client_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.test_client_cidrs]
}

run "tests_where_clients_come" {
  command = plan
  variables {
    test_port = 443
  }
  expect_failures = [var.test_port]
}
