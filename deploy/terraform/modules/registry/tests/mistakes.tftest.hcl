variables {
  name        = "shardgate"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "capital_letters" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}

run "nothing_to_roll_back_to" {
  command = plan
  variables {
    kept_images = 1
  }
  expect_failures = [var.kept_images]
}

run "deleted_at_once" {
  command = plan
  variables {
    untagged_days = 0
  }
  expect_failures = [var.untagged_days]
}

run "no_account" {
  command = plan
  variables {
    pulling_accounts = ["*"]
  }
  expect_failures = [var.pulling_accounts]
}

run "no_key" {
  command = plan
  variables {
    kms_key_arn = ""
  }
  expect_failures = [var.kms_key_arn]
}
