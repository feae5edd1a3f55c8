variables {
  name                     = "shardgate-test"
  kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:key/test"
  load_balancer_arn_suffix = "app/shardgate-test/0123456789abcdef"
  cluster_name             = "shardgate-test"
  tasks                    = { min = 2, max = 8 }
}

run "strictest" {
  command = plan
  variables {
    availability_target_percent = 99.99
    p90_s                       = 0.05
    requests_min                = 1
    log_retention_in_days       = 3653
  }
  assert {
    condition     = abs(aws_cloudwatch_metric_alarm.availability["fast"].threshold - 0.00144) < 0.0000001
    error_message = "A stricter target must have a lower threshold."
  }
}

run "one_task_and_a_database" {
  variables {
    tasks               = { min = 1, max = 1 }
    database_identifier = "shardgate-test-store"
    notified_emails     = ["a@example.com", "b@example.com"]
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.simple), "tasks-at-most")
    error_message = "A fixed number of tasks is always at its most."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.simple["database-storage"].threshold == 5368709120
    error_message = "The database's free space must be compared in bytes."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.mail) == 2
    error_message = "Each address must get mails."
  }
}
