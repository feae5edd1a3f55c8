variables {
  name                     = "shardgate-test"
  kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:key/test"
  load_balancer_arn_suffix = "app/shardgate-test/0123456789abcdef"
  cluster_name             = "shardgate-test"
  tasks                    = { min = 2, max = 8 }
}

run "defaults" {
  assert {
    condition     = aws_cloudwatch_log_group.gateway.retention_in_days == 365 && aws_cloudwatch_log_group.gateway.kms_key_id == var.kms_key_arn
    error_message = "Lines must be kept for a year, encrypted."
  }
  assert {
    condition     = length(output.alarm_names) == 14
    error_message = "Without a database there are 14 alarms."
  }
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.simple), values(aws_cloudwatch_metric_alarm.availability)) : alarm.alarm_actions == toset([output.topic_arn])])
    error_message = "Each alarm must call somebody."
  }
  assert {
    condition     = abs(aws_cloudwatch_metric_alarm.availability["fast"].threshold - 0.0144) < 0.000001 && abs(aws_cloudwatch_metric_alarm.availability["slow"].threshold - 0.006) < 0.000001
    error_message = "The thresholds must follow from the target."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.simple["latency-p90"].extended_statistic == "p90" && aws_cloudwatch_metric_alarm.simple["latency-p90"].statistic == null
    error_message = "A percentile is an extended statistic."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.simple["tasks-missing"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.simple["tasks-missing"].treat_missing_data == "breaching"
    error_message = "Where no task runs there is no metric either: that must be an alarm."
  }
  assert {
    condition = output.rollback_alarm_names == tolist([
      "shardgate-test-availability-fast", "shardgate-test-defect", "shardgate-test-latency-p90",
      "shardgate-test-load-balancer-5xx", "shardgate-test-replies-cut-off",
    ])
    error_message = "What a bad version shows must take it back."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 6
    error_message = "The dashboard must have six graphs."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.logs.restrict_public_buckets && startswith(aws_s3_bucket.logs.bucket, "shardgate-test-logs-")
    error_message = "Nobody outside may read the log."
  }
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn
    error_message = "The topic must be encrypted."
  }
}
