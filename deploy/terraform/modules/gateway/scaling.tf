# The number of tasks follows CPU use, up and down. Latency only adds tasks: slow shards make it high, and more tasks do not help then;
# decision 87 says why that is bounded.

locals {
  scales = var.tasks.max > var.tasks.min
}

resource "aws_appautoscaling_target" "this" {
  count              = local.scales ? 1 : 0
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

resource "aws_appautoscaling_policy" "cpu" {
  count              = local.scales ? 1 : 0
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.target_cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "latency" {
  count              = local.scales ? 1 : 0
  name               = "p90"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    min_adjustment_magnitude = 1
    cooldown                 = 120
    metric_aggregation_type  = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.target_p90_s
      scaling_adjustment          = 25
    }
    step_adjustment {
      metric_interval_lower_bound = var.target_p90_s # twice the target
      scaling_adjustment          = 50
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  count               = local.scales ? 1 : 0
  alarm_name          = "${var.name}-scale-out-p90"
  alarm_description   = "Adds tasks: the p90 of the time to a reply was above ${var.target_p90_s} s for three minutes. Nobody is called."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  extended_statistic  = "p90"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  period              = 60
  evaluation_periods  = 3
  threshold           = var.target_p90_s
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.latency[0].arn]

  # A handful of slow requests at night is no load.
  evaluate_low_sample_count_percentiles = "ignore"
}
