variables {
  name                   = "shardgate-test"
  kms_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/test"
  domain                 = "api.example.com"
  zone_id                = "Z0123456789ABCDEFGHIJ"
  load_balancer_arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shardgate-test/0123456789abcdef"
  load_balancer_dns_name = "shardgate-test-1.eu-west-1.elb.amazonaws.com"
  load_balancer_zone_id  = "Z32O12XQLNTSW2"
}

run "firewall" {
  variables {
    waf_enabled            = true
    waf_rate_per_5_minutes = 10
    waf_unlimited_cidrs    = ["203.0.113.0/24"]
  }
  assert {
    condition     = sort([for rule in aws_wafv2_web_acl.this[0].rule : rule.name]) == tolist(["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "rate"])
    error_message = "The firewall must have its three rules."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.this[0].resource_arn == var.load_balancer_arn
    error_message = "The firewall must be in front of the load balancer."
  }
  assert {
    condition     = startswith(aws_cloudwatch_log_group.firewall[0].name, "aws-waf-logs-") && aws_cloudwatch_log_group.firewall[0].kms_key_id == var.kms_key_arn
    error_message = "What was refused must be logged, encrypted."
  }
  assert {
    condition     = aws_wafv2_ip_set.unlimited[0].addresses == toset(["203.0.113.0/24"])
    error_message = "Partners must not be counted."
  }
}

run "longest_name" {
  command = plan
  variables {
    domain = "a.b.c.d.e.f.xn--nxasmq6b.example.museum"
  }
  assert {
    condition     = aws_acm_certificate.this.domain_name == "a.b.c.d.e.f.xn--nxasmq6b.example.museum"
    error_message = "A name of many labels must be accepted."
  }
}
