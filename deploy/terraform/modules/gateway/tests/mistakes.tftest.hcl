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

run "two_tasks_on_one_file" {
  command = plan
  variables {
    store      = "volume"
    deployment = "rolling"
    tasks      = { min = 2, max = 2 }
  }
  expect_failures = [var.tasks]
}

run "scaling_on_one_file" {
  command = plan
  variables {
    store      = "volume"
    deployment = "rolling"
    tasks      = { min = 1, max = 4 }
  }
  expect_failures = [var.tasks]
}

run "blue_green_on_one_file" {
  command = plan
  variables {
    store = "volume"
    tasks = { min = 1, max = 1 }
  }
  expect_failures = [var.deployment]
}

run "a_store_of_another_kind" {
  command = plan
  variables {
    store = "postgresql"
  }
  expect_failures = [var.store]
}

run "a_database_that_is_nowhere" {
  command = plan
  variables {
    store   = "database"
    secrets = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  expect_failures = [var.database]
}

run "a_database_that_nothing_uses" {
  command = plan
  variables {
    database = { address = "db.example.com" }
  }
  expect_failures = [var.database]
}

run "a_database_by_its_url" {
  command = plan
  variables {
    store    = "database"
    database = { address = "postgresql://db.example.com" }
    secrets  = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  expect_failures = [var.database]
}

run "a_user_that_is_no_name" {
  command = plan
  variables {
    store    = "database"
    database = { address = "db.example.com", user = "gateway:hunter2" }
    secrets  = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  expect_failures = [var.database]
}

run "authorities_of_the_machine" {
  command = plan
  variables {
    store    = "database"
    database = { address = "db.example.com", ca_file = "system" }
    secrets  = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  expect_failures = [var.database]
}

run "a_database_without_a_password" {
  command = plan
  variables {
    store    = "database"
    database = { address = "db.example.com" }
  }
  expect_failures = [var.secrets]
}

run "one_task_on_a_database" {
  command = plan
  variables {
    store    = "database"
    tasks    = { min = 1, max = 4 }
    database = { address = "db.example.com" }
    secrets  = { PGPASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:store" }
  }
  expect_failures = [var.tasks]
}

run "no_spare_task" {
  command = plan
  variables {
    tasks = { min = 1, max = 4 }
  }
  expect_failures = [var.tasks]
}

run "more_least_than_most" {
  command = plan
  variables {
    tasks = { min = 4, max = 2 }
  }
  expect_failures = [var.tasks]
}

run "half_a_task" {
  command = plan
  variables {
    tasks = { min = 2.5, max = 4 }
  }
  expect_failures = [var.tasks]
}

run "one_zone" {
  command = plan
  variables {
    private_subnet_ids = ["subnet-a", "subnet-a"]
  }
  expect_failures = [var.private_subnet_ids]
}

run "one_public_zone" {
  command = plan
  variables {
    public_subnet_ids = ["subnet-pa"]
  }
  expect_failures = [var.public_subnet_ids]
}

run "no_vpc" {
  command = plan
  variables {
    vpc_id = "default"
  }
  expect_failures = [var.vpc_id]
}

run "no_group_for_the_gateway" {
  command = plan
  variables {
    security_group_ids = { load_balancer = "sg-lb" }
  }
  expect_failures = [var.security_group_ids]
}

run "no_certificate" {
  command = plan
  variables {
    certificate_arn = "shop.example.com"
  }
  expect_failures = [var.certificate_arn]
}

run "latest" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:latest"
  }
  expect_failures = [var.image]
}

run "no_version" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate"
  }
  expect_failures = [var.image]
}

run "no_such_cpu" {
  command = plan
  variables {
    task = { cpu = 300, memory = 1024 }
  }
  expect_failures = [var.task]
}

run "no_such_memory" {
  command = plan
  variables {
    task = { cpu = 1024, memory = 1024 }
  }
  expect_failures = [var.task]
}

run "no_such_processor" {
  command = plan
  variables {
    architecture = "RISCV"
  }
  expect_failures = [var.architecture]
}

run "killed_while_it_answers" {
  command = plan
  variables {
    stop_timeout_s = 39
  }
  expect_failures = [var.stop_timeout_s]
}

run "later_than_fargate_waits" {
  command = plan
  variables {
    stop_timeout_s = 121
  }
  expect_failures = [var.stop_timeout_s]
}

run "drain_longer_than_fargate_waits" {
  command = plan
  variables {
    drain                  = { delay_s = 16, timeout_s = 100 }
    stop_timeout_s         = 121
    deregistration_delay_s = 100
  }
  expect_failures = [var.drain]
}

run "cut_off_by_the_load_balancer" {
  command = plan
  variables {
    deregistration_delay_s = 29
  }
  expect_failures = [var.deregistration_delay_s]
}

run "gateway_closes_first" {
  command = plan
  variables {
    idle_timeout_s = 75
  }
  expect_failures = [var.idle_timeout_s]
}

run "no_room_for_a_burst" {
  command = plan
  variables {
    target_cpu_percent = 95
  }
  expect_failures = [var.target_cpu_percent]
}

run "no_time" {
  command = plan
  variables {
    target_p90_s = 0
  }
  expect_failures = [var.target_p90_s]
}

run "no_such_deployment" {
  command = plan
  variables {
    deployment = "canary"
  }
  expect_failures = [var.deployment]
}

run "bakes_for_days" {
  command = plan
  variables {
    bake_time_minutes = 1441
  }
  expect_failures = [var.bake_time_minutes]
}

run "no_shard" {
  command = plan
  variables {
    shards = {}
  }
  expect_failures = [var.shards]
}

run "shard_with_two_places" {
  command = plan
  variables {
    shards = { north = { port = 8000, url = "http://north:8000" } }
  }
  expect_failures = [var.shards]
}

run "shard_without_a_place" {
  command = plan
  variables {
    shards = { north = {} }
  }
  expect_failures = [var.shards]
}

run "shard_with_no_host_name" {
  command = plan
  variables {
    shards = { north_1 = { port = 8000 } }
  }
  expect_failures = [var.shards]
}

run "shard_by_another_protocol" {
  command = plan
  variables {
    shards = { north = { url = "ftp://north" } }
  }
  expect_failures = [var.shards]
}

run "shard_without_a_port" {
  command = plan
  variables {
    shards = { north = { port = 0 } }
  }
  expect_failures = [var.shards]
}

run "secret_in_the_clear" {
  command = plan
  variables {
    environment = { SHARDGATE_JWT_SECRET = "x" }
  }
  expect_failures = [var.environment]
}

run "variable_with_a_hyphen" {
  command = plan
  variables {
    environment = { "shardgate-x" = "x" }
  }
  expect_failures = [var.environment]
}

run "secret_that_is_none" {
  command = plan
  variables {
    secrets = { SHARDGATE_JWT_KEY = "hunter2" }
  }
  expect_failures = [var.secrets]
}

run "variable_twice" {
  command = plan
  variables {
    environment = { SHARDGATE_A = "x" }
    secrets     = { SHARDGATE_A = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a" }
  }
  expect_failures = [var.secrets]
}

run "metrics_for_everybody" {
  command = plan
  variables {
    admin_port = 8080
  }
  expect_failures = [var.admin_port]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/shardgate"
  }
  expect_failures = [var.kms_key_arn]
}

run "key_of_the_registry_by_alias" {
  command = plan
  variables {
    pull_key_arns = ["alias/registry"]
  }
  expect_failures = [var.pull_key_arns]
}


run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}

run "privileged_port" {
  command = plan
  variables {
    gateway_port = 80
  }
  expect_failures = [var.gateway_port]
}

run "tests_where_clients_come" {
  command = plan
  variables {
    test_port = 443
  }
  expect_failures = [var.test_port]
}

run "a_hook_that_is_no_function" {
  command = plan
  variables {
    hooks = [{ function_arn = "smoke", role_arn = "arn:aws:iam::123456789012:role/ask", stages = ["POST_TEST_TRAFFIC_SHIFT"] }]
  }
  expect_failures = [var.hooks]
}

run "a_stage_that_ecs_does_not_know" {
  command = plan
  variables {
    hooks = [{ function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:smoke", role_arn = "arn:aws:iam::123456789012:role/ask", stages = ["AFTER_TESTS"] }]
  }
  expect_failures = [var.hooks]
}

run "stages_of_a_rolling_deployment" {
  command = plan
  variables {
    deployment = "rolling"
    hooks      = [{ function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:smoke", role_arn = "arn:aws:iam::123456789012:role/ask", stages = ["POST_TEST_TRAFFIC_SHIFT"] }]
  }
  expect_failures = [var.hooks]
}
