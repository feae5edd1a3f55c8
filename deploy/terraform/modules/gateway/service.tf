# The service keeps so many tasks running, spread over the zones, and takes a deployment back that does not come up.

locals {
  blue_green = var.deployment == "blue_green"
  # A store on a volume must have one task at a time: the old one ends before the new one starts.
  one_at_a_time = var.store == "volume"
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_service" "this" {
  #checkov:skip=CKV_AWS_332:LATEST is what gets security updates; a deployment that fails on a new platform is taken back
  name                               = "gateway"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = var.tasks.min
  deployment_minimum_healthy_percent = local.one_at_a_time ? 0 : 100
  deployment_maximum_percent         = local.one_at_a_time ? 100 : 200
  availability_zone_rebalancing      = local.one_at_a_time ? "DISABLED" : "ENABLED"
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = true

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.security_group_ids["gateway"]]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["blue"].arn
    container_name   = "gateway"
    container_port   = var.gateway_port

    dynamic "advanced_configuration" {
      for_each = local.blue_green ? [1] : []
      content {
        alternate_target_group_arn = aws_lb_target_group.this["green"].arn
        production_listener_rule   = aws_lb_listener_rule.this["clients"].arn
        test_listener_rule         = aws_lb_listener_rule.this["test"].arn
        role_arn                   = aws_iam_role.infrastructure[0].arn
      }
    }
  }

  deployment_controller {
    type = "ECS"
  }

  deployment_configuration {
    strategy             = local.blue_green ? "BLUE_GREEN" : "ROLLING"
    bake_time_in_minutes = local.blue_green ? tostring(var.bake_time_minutes) : null

    dynamic "lifecycle_hook" {
      for_each = var.hooks
      content {
        hook_target_arn  = lifecycle_hook.value.function_arn
        role_arn         = lifecycle_hook.value.role_arn
        lifecycle_stages = lifecycle_hook.value.stages
      }
    }
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "alarms" {
    for_each = length(var.rollback_alarm_names) > 0 ? [1] : []
    content {
      enable      = true
      rollback    = true
      alarm_names = var.rollback_alarm_names
    }
  }

  lifecycle {
    ignore_changes = [desired_count] # scaling.tf decides
  }

  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy_attachment.infrastructure, aws_lb_listener_rule.this]
}
