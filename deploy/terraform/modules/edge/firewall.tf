# Rules that look at what a request is, not at what it means: the gateway itself refuses what is no HTTP.

resource "aws_wafv2_ip_set" "unlimited" {
  count              = var.waf_enabled && length(var.waf_unlimited_cidrs) > 0 ? 1 : 0
  name               = "${var.name}-unlimited"
  description        = "Partners whose requests are not counted"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = var.waf_unlimited_cidrs
}

resource "aws_wafv2_web_acl" "this" {
  count       = var.waf_enabled ? 1 : 0
  name        = var.name
  description = "In front of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "AWSManagedRulesAmazonIpReputationList"
    priority = 10
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesAmazonIpReputationList"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "AWSManagedRulesAmazonIpReputationList"
      sampled_requests_enabled   = false # samples would show tokens of clients
    }
  }

  rule {
    name     = "AWSManagedRulesKnownBadInputsRuleSet"
    priority = 20
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "AWSManagedRulesKnownBadInputsRuleSet"
      sampled_requests_enabled   = false # samples would show tokens of clients
    }
  }

  rule {
    name     = "rate"
    priority = 30
    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }
    statement {
      rate_based_statement {
        limit              = var.waf_rate_per_5_minutes
        aggregate_key_type = "IP"
        dynamic "scope_down_statement" {
          for_each = aws_wafv2_ip_set.unlimited
          content {
            not_statement {
              statement {
                ip_set_reference_statement {
                  arn = scope_down_statement.value.arn
                }
              }
            }
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count        = var.waf_enabled ? 1 : 0
  web_acl_arn  = aws_wafv2_web_acl.this[0].arn
  resource_arn = var.load_balancer_arn
}

resource "aws_cloudwatch_log_group" "firewall" {
  count             = var.waf_enabled ? 1 : 0
  name              = "aws-waf-logs-${var.name}" # AWS wants this prefix
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn
}

# Only what was refused is written, without the fields that carry secrets.
resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count                   = var.waf_enabled ? 1 : 0
  resource_arn            = aws_wafv2_web_acl.this[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall[0].arn]

  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie"])
    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  logging_filter {
    default_behavior = "DROP"
    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"
      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}
