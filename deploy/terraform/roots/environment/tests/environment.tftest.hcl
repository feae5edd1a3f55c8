# Run once with the variables of each environment.

variables {
  image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.0.0"
}

run "as_it_is" {
  assert {
    condition     = output.url == "https://${var.domain}"
    error_message = "Clients must reach the gateway by its name."
  }
  assert {
    condition     = join(",", keys(output.shard_urls)) == join(",", keys(var.shards))
    error_message = "The gateway must know each shard."
  }
  assert {
    condition     = length(output.rollback_alarm_names) >= 4 && length(setsubtract(output.rollback_alarm_names, output.alarm_names)) == 0
    error_message = "A bad version must be taken back by alarms that are there."
  }
  assert {
    condition     = alltrue([for name in output.alarm_names : startswith(name, "shardgate-${var.environment}-")])
    error_message = "An alarm must say of which environment it is."
  }
}

run "with_everything" {
  variables {
    store               = "database"
    waf_enabled         = true
    zone_count          = 3
    gateway_environment = { SHARDGATE_OTLP_URL = "http://collector.example.com:4318/v1/metrics" }
    test_client_cidrs   = ["203.0.113.7/32"]
    secrets             = { cursors = "What cursors are signed with", store = "The password of the gateway's user in the database" }
    secret_variables    = { SHARDGATE_CURSOR_SECRETS = "cursors", PGPASSWORD = "store" }
    shards              = { north = { url = "http://north.example.com:8000 https://north-2.example.com" }, south = { port = 9000 } }
  }
  assert {
    condition     = contains(output.alarm_names, "shardgate-${var.environment}-database-storage")
    error_message = "A database must be watched."
  }
  assert {
    condition     = join(",", output.asked_ports) == "4318,443,8000,9000"
    error_message = "The gateway must reach each shard, and what collects its metrics."
  }
  assert {
    condition     = output.database_address != null && output.database_secret_arn != null
    error_message = "A person must find the database and its owner's password."
  }
}

# What docs/howto/ecs.md says of a lost region: the same code, image and names, elsewhere.
run "in_another_region" {
  state_key = "elsewhere"
  variables {
    project = "sg-usw2" # names of roles and buckets belong to the whole account
    region  = "us-west-2"
    image   = "123456789012.dkr.ecr.us-west-2.amazonaws.com/shardgate:1.0.0"
    shards  = { north = { url = "https://north.us.example.com" }, south = { url = "https://south.us.example.com" } }
  }
  assert {
    condition     = output.url == "https://${var.domain}"
    error_message = "Clients must find the gateway by the name that they know."
  }
  assert {
    condition     = output.shard_urls == { north = "https://north.us.example.com", south = "https://south.us.example.com" }
    error_message = "The gateway must ask the shards of that region."
  }
  assert {
    condition     = output.cluster_name == "sg-usw2-${var.environment}" && alltrue([for name in output.alarm_names : startswith(name, "sg-usw2-")])
    error_message = "No name may be one of the lost region's."
  }
}

run "nothing_to_the_outside" {
  command = plan
  variables {
    nat               = "none"
    endpoints_enabled = true
    deployment        = "rolling"
    store             = "volume"
    tasks             = { min = 1, max = 1 }
  }
  assert {
    condition     = !contains(output.rollback_alarm_names, "shardgate-${var.environment}-tasks-at-most")
    error_message = "One task is always all that are allowed."
  }
}

run "unknown_environment" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "no_region" {
  command = plan
  variables {
    region = "Ireland"
  }
  expect_failures = [var.region]
}

run "unknown_secret" {
  command = plan
  variables {
    secret_variables = { SHARDGATE_JWT_KEY = "jwt-key" }
  }
  expect_failures = [var.secret_variables]
}
