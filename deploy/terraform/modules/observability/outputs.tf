output "log_group_name" {
  description = "Where the gateway's tasks write, for the module `gateway`."
  value       = aws_cloudwatch_log_group.gateway.name
}

output "log_bucket" {
  description = "The bucket that the load balancer may write to, for the module `gateway`."
  value       = aws_s3_bucket.logs.bucket
  depends_on  = [aws_s3_bucket_policy.logs]
}

output "rollback_alarm_names" {
  description = "The alarms that take a deployment back, for the module `gateway`."
  value = sort(concat(
    [aws_cloudwatch_metric_alarm.availability["fast"].alarm_name],
    [for name, alarm in local.simple : aws_cloudwatch_metric_alarm.simple[name].alarm_name if alarm.rollback],
  ))
}

output "alarm_names" {
  description = "All alarms that call somebody."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.availability : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.simple : alarm.alarm_name],
  ))
}

output "topic_arn" {
  description = "Where alarms are published: subscribe a pager here."
  value       = aws_sns_topic.alarms.arn
}
