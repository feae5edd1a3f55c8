# The gateway writes a line of JSON for each request. Filters count in them what the load balancer cannot see.

resource "aws_cloudwatch_log_group" "gateway" {
  name              = "/${var.name}/gateway"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn
}

locals {
  namespace = "Shardgate/${var.name}"

  # Metric → what a line must have. The members are those of src/shardgate/observe/log_line.py, which a test holds.
  counted = {
    Requests    = "{ $.request_id = * && $.status = * }"
    Failures    = "{ $.request_id = * && $.status >= 500 }"
    CutOff      = "{ $.cut_off = \"gateway\" || $.cut_off = \"shard\" || $.cut_off = \"deadline\" || $.cut_off = \"drain\" }"
    ShardErrors = "{ $.error = \"SG2*\" }"
    Overload    = "{ $.error = \"SG4001\" }"
    Store       = "{ $.error = \"SG4002\" || $.error = \"SG4003\" }"
    KeyDisputes = "{ $.error = \"SG2006\" }"
    Defects     = "{ $.error = \"SG9*\" }"
  }
  # Metric → the member whose value it is, in microseconds.
  measured = {
    FirstByte = "ttfb_us"
    Upstream  = "upstream_us"
    Duration  = "duration_us"
  }
}

resource "aws_cloudwatch_log_metric_filter" "counted" {
  for_each       = local.counted
  name           = each.key
  log_group_name = aws_cloudwatch_log_group.gateway.name
  pattern        = each.value

  metric_transformation {
    namespace     = local.namespace
    name          = each.key
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_log_metric_filter" "measured" {
  for_each       = local.measured
  name           = each.key
  log_group_name = aws_cloudwatch_log_group.gateway.name
  pattern        = "{ $.${each.value} = * }"

  metric_transformation {
    namespace = local.namespace
    name      = each.key
    value     = "$.${each.value}"
    unit      = "Microseconds"
  }
}
