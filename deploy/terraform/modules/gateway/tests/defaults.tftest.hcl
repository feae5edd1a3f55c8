variables {
  name               = "shardgate-test"
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/test"
  vpc_id             = "vpc-test"
  public_subnet_ids  = ["subnet-pa", "subnet-pb"]
  private_subnet_ids = ["subnet-a", "subnet-b"]
  security_group_ids = { load_balancer = "sg-lb", gateway = "sg-gateway", volume = "sg-volume" }
  certificate_arn    = "arn:aws:acm:eu-west-1:123456789012:certificate/test"
  log_group_name     = "/shardgate-test/gateway"
  log_bucket         = "shardgate-test-logs"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.0.0"
  shards             = { north = { port = 8000 }, south = { url = "https://south.example.com" } }
}

run "defaults" {
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem
    error_message = "The root file system must be read-only."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532"
    error_message = "The gateway must not be root."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "The gateway must have no capabilities."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout >= 5 + 30 + 5
    error_message = "ECS must wait until the gateway has drained."
  }
  assert {
    condition     = alltrue([for group in values(aws_lb_target_group.this) : tonumber(group.deregistration_delay) >= 30])
    error_message = "The load balancer must wait as long as the gateway does."
  }
  assert {
    condition     = alltrue([for group in values(aws_lb_target_group.this) : group.health_check[0].path == "/readyz" && group.health_check[0].port == "9901"])
    error_message = "The load balancer must ask the admin port whether the task is ready."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_configuration[0].strategy == "BLUE_GREEN" && join(",", keys(aws_lb_target_group.this)) == "blue,green"
    error_message = "Blue/green must have two groups."
  }
  assert {
    condition     = [for group in aws_lb_listener_rule.this["clients"].action[0].forward[0].target_group : group.arn if group.weight > 0] == [aws_lb_target_group.this["blue"].arn]
    error_message = "Before the first deployment all clients must be sent to blue."
  }
  assert {
    condition     = [for group in aws_lb_listener_rule.this["test"].action[0].forward[0].target_group : group.arn if group.weight > 0] == [aws_lb_target_group.this["green"].arn]
    error_message = "The test listener must have the new tasks, and no client's."
  }
  assert {
    condition     = aws_lb_listener.this["test"].port == 8443 && aws_lb_listener.this["test"].protocol == "HTTPS" && aws_lb_listener.this["test"].ssl_policy == aws_lb_listener.this["clients"].ssl_policy && aws_lb_listener.this["test"].certificate_arn == var.certificate_arn
    error_message = "The new tasks must be tested by the same TLS that clients use."
  }
  assert {
    condition     = one(one(aws_ecs_service.this.load_balancer).advanced_configuration).production_listener_rule == aws_lb_listener_rule.this["clients"].arn && one(one(aws_ecs_service.this.load_balancer).advanced_configuration).test_listener_rule == aws_lb_listener_rule.this["test"].arn
    error_message = "ECS must move both listeners."
  }
  assert {
    condition     = one(one(aws_ecs_service.this.load_balancer).advanced_configuration).alternate_target_group_arn == aws_lb_target_group.this["green"].arn && one(aws_ecs_service.this.load_balancer).target_group_arn == aws_lb_target_group.this["blue"].arn
    error_message = "ECS must have a group for either set."
  }
  assert {
    condition     = alltrue([for listener in [aws_lb_listener.this["clients"], aws_lb_listener.this["test"]] : listener.default_action[0].fixed_response[0].status_code == "503"])
    error_message = "Where no rule fits there must be no gateway."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_configuration[0].bake_time_in_minutes == "10"
    error_message = "The old tasks must stay for a while, so that going back takes seconds."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "A deployment that fails must be taken back."
  }
  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && length(aws_ecs_service.this.network_configuration[0].subnets) == 2
    error_message = "Two tasks in two zones are the least."
  }
  assert {
    condition     = aws_ecs_service.this.network_configuration[0].assign_public_ip == false && aws_ecs_service.this.enable_execute_command == false
    error_message = "Nobody may reach a task from outside, or open a shell in it."
  }
  assert {
    condition     = aws_lb_listener.this["clients"].protocol == "HTTPS" && strcontains(aws_lb_listener.this["clients"].ssl_policy, "TLS13-1-2")
    error_message = "Clients must come by TLS 1.2 or 1.3."
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu[0].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "The number of tasks must follow CPU use."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.latency[0].extended_statistic == "p90" && aws_cloudwatch_metric_alarm.latency[0].alarm_actions == toset([aws_appautoscaling_policy.latency[0].arn])
    error_message = "Tasks must be added when the p90 is high."
  }
  assert {
    condition     = output.shard_urls == { north = "http://north.shardgate-test.internal:8000", south = "https://south.example.com" }
    error_message = "A shard must be found by its name, or at its URL."
  }
  assert {
    condition     = join(",", keys(output.shard_registry_arns)) == "north"
    error_message = "A shard with a port must be in service discovery, and no other."
  }
  assert {
    condition     = length(aws_efs_file_system.state) == 0 && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints == []
    error_message = "Without a store nothing can be written, so that no task keeps one by itself."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "secretsmanager:GetSecretValue")
    error_message = "Without secrets, none may be read."
  }
  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Resource != "*" if s.Sid != "Token"
    ])
    error_message = "Each right must name what it is for."
  }
}
