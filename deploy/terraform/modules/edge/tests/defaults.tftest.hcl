variables {
  name                   = "shardgate-test"
  kms_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/test"
  domain                 = "api.example.com"
  zone_id                = "Z0123456789ABCDEFGHIJ"
  load_balancer_arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shardgate-test/0123456789abcdef"
  load_balancer_dns_name = "shardgate-test-1.eu-west-1.elb.amazonaws.com"
  load_balancer_zone_id  = "Z32O12XQLNTSW2"
}

run "defaults" {
  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS" && join(",", keys(aws_route53_record.validation)) == "api.example.com"
    error_message = "The certificate must renew itself, by DNS."
  }
  assert {
    condition     = aws_route53_record.gateway.alias[0].name == var.load_balancer_dns_name && aws_route53_record.gateway.alias[0].evaluate_target_health
    error_message = "The name must lead to the load balancer."
  }
  assert {
    condition     = output.url == "https://api.example.com" && startswith(output.certificate_arn, "arn:aws:acm:")
    error_message = "The outputs must say where it is."
  }
  assert {
    condition     = length(aws_wafv2_web_acl.this) == 0 && length(aws_cloudwatch_log_group.firewall) == 0
    error_message = "The firewall costs money, and is made only where it is asked for."
  }
}
