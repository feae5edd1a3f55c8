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

run "rolling_on_the_smallest_task" {
  variables {
    deployment = "rolling"
    task       = { cpu = 256, memory = 512 }
    tasks      = { min = 2, max = 2 }
    shards     = { only_1 = { url = "http://10.30.0.10:8000 http://10.30.0.11:8000/app" } }
  }
  assert {
    condition     = aws_ecs_service.this.deployment_configuration[0].strategy == "ROLLING" && join(",", keys(aws_lb_target_group.this)) == "blue"
    error_message = "Rolling needs one group."
  }
  assert {
    condition     = keys(aws_lb_listener.this) == ["clients"] && keys(aws_lb_listener_rule.this) == ["clients"] && length(one(aws_ecs_service.this.load_balancer).advanced_configuration) == 0 && length(aws_iam_role.infrastructure) == 0
    error_message = "Rolling has no second listener, and nobody who may move clients."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "No task may end before another serves."
  }
  assert {
    condition     = length(aws_appautoscaling_target.this) == 0 && length(aws_cloudwatch_metric_alarm.latency) == 0
    error_message = "A fixed number of tasks needs no scaling."
  }
  assert {
    condition     = length(aws_service_discovery_private_dns_namespace.this) == 0
    error_message = "Shards elsewhere need no service discovery."
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "SHARDGATE_WORKERS", value = "1" })
    error_message = "A quarter of a core must have one worker."
  }
}

run "largest_task" {
  command = plan
  variables {
    task  = { cpu = 16384, memory = 122880 }
    tasks = { min = 500, max = 500 }
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "SHARDGATE_WORKERS", value = "16" })
    error_message = "Each core must have a worker."
  }
}

run "longest_drain" {
  command = plan
  variables {
    drain                  = { delay_s = 15, timeout_s = 100 }
    stop_timeout_s         = 120
    deregistration_delay_s = 100
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 120
    error_message = "Fargate waits for 120 s, and no longer."
  }
}

run "one_task_with_a_store" {
  variables {
    store      = "volume"
    deployment = "rolling"
    tasks      = { min = 1, max = 1 }
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 0 && aws_ecs_service.this.deployment_maximum_percent == 100
    error_message = "Two tasks must never run at the same time on one store."
  }
  assert {
    condition     = aws_efs_file_system.state[0].encrypted && aws_efs_file_system.state[0].kms_key_id == var.kms_key_arn && aws_efs_backup_policy.state[0].backup_policy[0].status == "ENABLED"
    error_message = "The volume must be encrypted and backed up."
  }
  assert {
    condition     = one([for v in aws_ecs_task_definition.this.volume : v]).efs_volume_configuration[0].transit_encryption == "ENABLED"
    error_message = "The volume must be mounted by TLS."
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "SHARDGATE_STORE", value = "/var/lib/shardgate/store.db" })
    error_message = "The store must be on the volume."
  }
}

run "several_tasks_with_one_store" {
  variables {
    store    = "database"
    tasks    = { min = 2, max = 12 }
    database = { address = "shardgate-test-store.abc.eu-west-1.rds.amazonaws.com" }
    secrets  = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  assert {
    condition = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, {
      name  = "SHARDGATE_STORE"
      value = "postgresql://gateway@shardgate-test-store.abc.eu-west-1.rds.amazonaws.com:5432/shardgate?sslmode=verify-full&sslrootcert=/etc/shardgate/rds.pem"
    })
    error_message = "All tasks must find the database, believe no other server, and have no password in the URL."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [{ name = "PGPASSWORD", valueFrom = var.secrets.PGPASSWORD }]
    error_message = "ECS must put the password into the environment."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_configuration[0].strategy == "BLUE_GREEN" && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "Two versions may share a database: no deployment interrupts it."
  }
  assert {
    condition     = length(aws_efs_file_system.state) == 0 && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints == []
    error_message = "A store in a database needs no volume."
  }
}

run "functions_that_decide" {
  variables {
    test_port         = 9443
    bake_time_minutes = 1440
    hooks = [{
      function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:smoke"
      role_arn     = "arn:aws:iam::123456789012:role/ask-smoke"
      stages       = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"]
    }]
  }
  assert {
    condition     = one(aws_ecs_service.this.deployment_configuration[0].lifecycle_hook).hook_target_arn == var.hooks[0].function_arn && length(one(aws_ecs_service.this.deployment_configuration[0].lifecycle_hook).lifecycle_stages) == 2
    error_message = "ECS must ask the function at both stages."
  }
  assert {
    condition     = aws_lb_listener.this["test"].port == 9443 && aws_ecs_service.this.deployment_configuration[0].bake_time_in_minutes == "1440"
    error_message = "The port and the longest bake time must be accepted."
  }
}

run "secrets_and_alarms" {
  variables {
    secrets              = { SHARDGATE_JWT_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt" }
    rollback_alarm_names = ["shardgate-test-availability"]
    pull_key_arns        = ["arn:aws:kms:eu-west-1:210987654321:key/registry"]
  }
  assert {
    condition = [
      for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Resource if s.Sid == "Secrets"
    ] == ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt"]
    error_message = "The named secret may be read, and no other."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets[0].name == "SHARDGATE_JWT_KEY"
    error_message = "ECS must put the secret into the environment."
  }
  assert {
    condition     = aws_ecs_service.this.alarms[0].rollback
    error_message = "An alarm must take a deployment back."
  }
}
