variables {
  name                   = "shardgate-test"
  kms_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/test"
  domain                 = "api.example.com"
  zone_id                = "Z0123456789ABCDEFGHIJ"
  load_balancer_arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shardgate-test/0123456789abcdef"
  load_balancer_dns_name = "shardgate-test-1.eu-west-1.elb.amazonaws.com"
  load_balancer_zone_id  = "Z32O12XQLNTSW2"
}

run "wildcard" {
  command = plan
  variables {
    domain = "*.example.com"
  }
  expect_failures = [var.domain]
}

run "with_a_scheme" {
  command = plan
  variables {
    domain = "https://api.example.com"
  }
  expect_failures = [var.domain]
}

run "no_full_name" {
  command = plan
  variables {
    domain = "api"
  }
  expect_failures = [var.domain]
}

run "name_of_a_zone" {
  command = plan
  variables {
    zone_id = "example.com"
  }
  expect_failures = [var.zone_id]
}

run "no_request_at_all" {
  command = plan
  variables {
    waf_rate_per_5_minutes = 0
  }
  expect_failures = [var.waf_rate_per_5_minutes]
}

run "everybody_unlimited" {
  command = plan
  variables {
    waf_unlimited_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.waf_unlimited_cidrs]
}

run "a_host_is_no_network" {
  command = plan
  variables {
    waf_unlimited_cidrs = ["partner.example.com"]
  }
  expect_failures = [var.waf_unlimited_cidrs]
}

run "retention_that_aws_does_not_know" {
  command = plan
  variables {
    log_retention_in_days = 100
  }
  expect_failures = [var.log_retention_in_days]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/shardgate"
  }
  expect_failures = [var.kms_key_arn]
}


run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}
