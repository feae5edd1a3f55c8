variables {
  name = "shardgate-test"
}

run "capital_letters" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}

run "too_long" {
  command = plan
  variables {
    name = "shardgate-production-xy"
  }
  expect_failures = [var.name]
}

run "hyphen_last" {
  command = plan
  variables {
    name = "shardgate-"
  }
  expect_failures = [var.name]
}

run "window_too_short" {
  command = plan
  variables {
    deletion_window_in_days = 6
  }
  expect_failures = [var.deletion_window_in_days]
}

run "part_of_a_day" {
  command = plan
  variables {
    deletion_window_in_days = 7.5
  }
  expect_failures = [var.deletion_window_in_days]
}
