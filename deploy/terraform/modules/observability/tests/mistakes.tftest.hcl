variables {
  name                     = "shardgate-test"
  kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:key/test"
  load_balancer_arn_suffix = "app/shardgate-test/0123456789abcdef"
  cluster_name             = "shardgate-test"
  tasks                    = { min = 2, max = 8 }
}

run "no_failure_is_allowed" {
  command = plan
  variables {
    availability_target_percent = 100
  }
  expect_failures = [var.availability_target_percent]
}

run "a_fraction_is_no_percentage" {
  command = plan
  variables {
    availability_target_percent = 0.999
  }
  expect_failures = [var.availability_target_percent]
}

run "no_time" {
  command = plan
  variables {
    p90_s = 0
  }
  expect_failures = [var.p90_s]
}

run "milliseconds" {
  command = plan
  variables {
    p90_s = 500
  }
  expect_failures = [var.p90_s]
}

run "no_request" {
  command = plan
  variables {
    requests_min = 0
  }
  expect_failures = [var.requests_min]
}

run "no_address" {
  command = plan
  variables {
    notified_emails = ["oncall"]
  }
  expect_failures = [var.notified_emails]
}

run "no_task" {
  command = plan
  variables {
    tasks = { min = 0, max = 0 }
  }
  expect_failures = [var.tasks]
}

run "no_space_left" {
  command = plan
  variables {
    database_storage_free_min_gib = 0
  }
  expect_failures = [var.database_storage_free_min_gib]
}

run "kept_for_no_day" {
  command = plan
  variables {
    log_bucket_days = 0
  }
  expect_failures = [var.log_bucket_days]
}

run "retention_that_aws_does_not_know" {
  command = plan
  variables {
    log_retention_in_days = 100
  }
  expect_failures = [var.log_retention_in_days]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/shardgate"
  }
  expect_failures = [var.kms_key_arn]
}


run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}
