# Each alarm is a question that a person must look at. docs/howto/ecs.md says what each means and what to do; a test holds that none is missing.

locals {
  # Of 30 days' allowed failures, `fast` would use up all in two days, `slow` in five.
  allowed = 1 - var.availability_target_percent / 100
  burn    = { fast = 14.4 * local.allowed, slow = 6 * local.allowed }

  load_balancer = { LoadBalancer = var.load_balancer_arn_suffix }
  service       = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  own           = {}

  # Name → one metric of which one statistic is compared.
  simple = merge({
    latency-p90 = {
      why       = "The p90 of the time to a reply is above ${var.p90_s} s."
      namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.load_balancer
      statistic = "p90", period = 60, periods = 5, above = var.p90_s, below = null, rollback = true
    }
    load-balancer-5xx = {
      why       = "The load balancer itself answered 5xx: it reached no task, or a task closed the connection."
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.load_balancer
      statistic = "Sum", period = 60, periods = 3, above = 10, below = null, rollback = true
    }
    tasks-missing = {
      why       = "Fewer than ${var.tasks.min} tasks run."
      namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.service
      statistic = "Minimum", period = 60, periods = 5, above = null, below = var.tasks.min, rollback = false
    }
    cpu = {
      why       = "The tasks use more than 85 % of their CPU for ten minutes: scaling does not keep up."
      namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service
      statistic = "Average", period = 60, periods = 10, above = 85, below = null, rollback = false
    }
    memory = {
      why       = "A task uses more than 85 % of its memory."
      namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service
      statistic = "Maximum", period = 60, periods = 10, above = 85, below = null, rollback = false
    }
    overload = {
      why       = "The gateway refused requests because a bound was reached (SG4001)."
      namespace = local.namespace, metric = "Overload", dimensions = local.own
      statistic = "Sum", period = 60, periods = 3, above = 0, below = null, rollback = false
    }
    shard-errors = {
      why       = "Shards failed or answered nothing, more than 10 times a minute."
      namespace = local.namespace, metric = "ShardErrors", dimensions = local.own
      statistic = "Sum", period = 60, periods = 5, above = 10, below = null, rollback = false
    }
    replies-cut-off = {
      why       = "Replies broke off before their end, more than 10 times a minute, and not because the client left."
      namespace = local.namespace, metric = "CutOff", dimensions = local.own
      statistic = "Sum", period = 60, periods = 3, above = 10, below = null, rollback = true
    }
    store = {
      why       = "The gateway cannot write its store (SG4002, SG4003): changes over several shards are refused."
      namespace = local.namespace, metric = "Store", dimensions = local.own
      statistic = "Sum", period = 60, periods = 1, above = 0, below = null, rollback = false
    }
    key-on-two-shards = {
      why       = "A key is on two shards (SG2006): the data needs a person."
      namespace = local.namespace, metric = "KeyDisputes", dimensions = local.own
      statistic = "Sum", period = 300, periods = 1, above = 0, below = null, rollback = false
    }
    defect = {
      why       = "The gateway has a defect (SG9001)."
      namespace = local.namespace, metric = "Defects", dimensions = local.own
      statistic = "Sum", period = 60, periods = 1, above = 0, below = null, rollback = true
    }
    },
    var.tasks.max > var.tasks.min ? {
      tasks-at-most = {
        why       = "All ${var.tasks.max} tasks that are allowed run for a quarter of an hour: nothing is left to add."
        namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.service
        statistic = "Minimum", period = 60, periods = 15, above = var.tasks.max - 1, below = null, rollback = false
      }
    } : {},
    var.database_identifier == null ? {} : {
      database-cpu = {
        why       = "The database uses more than 80 % of its CPU for a quarter of an hour."
        namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = { DBInstanceIdentifier = var.database_identifier }
        statistic = "Average", period = 300, periods = 3, above = 80, below = null, rollback = false
      }
      database-storage = {
        why       = "The database has less than ${var.database_storage_free_min_gib} GiB left."
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = { DBInstanceIdentifier = var.database_identifier }
        statistic = "Minimum", period = 300, periods = 1, above = null, below = var.database_storage_free_min_gib * 1024 * 1024 * 1024, rollback = false
      }
  })
}

resource "aws_cloudwatch_metric_alarm" "simple" {
  for_each            = local.simple
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.above == null ? each.value.below : each.value.above
  comparison_operator = each.value.above == null ? "LessThanThreshold" : "GreaterThanThreshold"
  # Where tasks or space are missing, so may be their metric; where nothing fails there is nothing to count.
  treat_missing_data                    = each.value.above == null ? "breaching" : "notBreaching"
  evaluate_low_sample_count_percentiles = startswith(each.value.statistic, "p") ? "ignore" : null
  alarm_actions                         = [aws_sns_topic.alarms.arn]
  ok_actions                            = [aws_sns_topic.alarms.arn]
}

# The part of the requests that failed on our side, as the load balancer saw them: also those that reached no task.
resource "aws_cloudwatch_metric_alarm" "availability" {
  for_each            = { fast = { period = 300, periods = 1 }, slow = { period = 3600, periods = 1 } }
  alarm_name          = "${var.name}-availability-${each.key}"
  alarm_description   = "More than ${format("%.2f", local.burn[each.key] * 100)} % of the requests failed within ${each.value.period / 60} minutes; ${var.availability_target_percent} % must not fail in 30 days."
  evaluation_periods  = each.value.periods
  threshold           = local.burn[each.key]
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "ratio"
    label       = "failed"
    expression  = "IF(requests > ${var.requests_min}, (FILL(gateway, 0) + FILL(balancer, 0)) / requests, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { requests = "RequestCount", gateway = "HTTPCode_Target_5XX_Count", balancer = "HTTPCode_ELB_5XX_Count" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = local.load_balancer
        period      = each.value.period
        stat        = "Sum"
      }
    }
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = var.notified_emails
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}
