# One page for the question "is it well?": what clients see on top, what the gateway sees below.

data "aws_region" "here" {}

locals {
  # Title → the metrics as CloudWatch writes them, and a line to compare with.
  widgets = [
    { title = "Requests a minute", stat = "Sum", line = null, metrics = [
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer_arn_suffix],
    ] },
    { title = "Failures a minute", stat = "Sum", line = null, metrics = [
      ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.load_balancer_arn_suffix],
      ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.load_balancer_arn_suffix],
      [local.namespace, "ShardErrors"], [local.namespace, "Overload"], [local.namespace, "CutOff"],
    ] },
    { title = "Time to a reply, p90 (s)", stat = "p90", line = var.p90_s, metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer_arn_suffix],
    ] },
    { title = "Time to the first byte, and the shards' part of it, p90 (µs)", stat = "p90", line = null, metrics = [
      [local.namespace, "FirstByte"], [local.namespace, "Upstream"],
    ] },
    { title = "CPU and memory of the tasks (%)", stat = "Average", line = 85, metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
    ] },
    { title = "Tasks", stat = "Maximum", line = var.tasks.max, metrics = [
      ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = merge(
        { title = widget.title, region = data.aws_region.here.region, period = 60, stat = widget.stat, metrics = widget.metrics },
        widget.line == null ? {} : { annotations = { horizontal = [{ value = widget.line, label = "bound" }] } },
      )
    }]
  })
}
