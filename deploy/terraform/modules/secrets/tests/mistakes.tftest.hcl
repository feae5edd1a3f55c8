variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "capital_letters" {
  command = plan
  variables {
    secrets = { JWT_KEY = "Tokens" }
  }
  expect_failures = [var.secrets]
}

run "without_a_meaning" {
  command = plan
  variables {
    secrets = { cursors = " " }
  }
  expect_failures = [var.secrets]
}

run "gone_at_once" {
  command = plan
  variables {
    recovery_window_in_days = 0
  }
  expect_failures = [var.recovery_window_in_days]
}

run "rotation_of_nothing" {
  command = plan
  variables {
    rotation = { other = { lambda_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate" } }
  }
  expect_failures = [var.rotation]
}

run "rotation_by_nothing" {
  command = plan
  variables {
    rotation = { cursors = { lambda_arn = "rotate" } }
  }
  expect_failures = [var.rotation]
}

run "rotation_never" {
  command = plan
  variables {
    rotation = { cursors = { lambda_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate", days = 0 } }
  }
  expect_failures = [var.rotation]
}

run "rotation_once_a_year" {
  command = plan
  variables {
    rotation = { cursors = { lambda_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate", days = 365 } }
  }
  expect_failures = [var.rotation]
}

run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/shardgate"
  }
  expect_failures = [var.kms_key_arn]
}
