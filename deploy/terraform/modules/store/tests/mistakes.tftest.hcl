variables {
  name              = "shardgate-test"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/test"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-store"
}

run "one_zone" {
  command = plan
  variables {
    subnet_ids = ["subnet-a", "subnet-a"]
  }
  expect_failures = [var.subnet_ids]
}

run "no_security_group" {
  command = plan
  variables {
    security_group_id = "default"
  }
  expect_failures = [var.security_group_id]
}

run "machine_of_another_service" {
  command = plan
  variables {
    instance_class = "t4g.medium"
  }
  expect_failures = [var.instance_class]
}

run "minor_version" {
  command = plan
  variables {
    engine_version = "17.2"
  }
  expect_failures = [var.engine_version]
}

run "too_little_space" {
  command = plan
  variables {
    storage_gib = 10
  }
  expect_failures = [var.storage_gib]
}

run "no_room_to_grow" {
  command = plan
  variables {
    storage_gib     = 100
    storage_max_gib = 100
  }
  expect_failures = [var.storage_max_gib]
}

run "no_backups" {
  command = plan
  variables {
    backup_days = 0
  }
  expect_failures = [var.backup_days]
}

run "an_alias_is_no_key" {
  command = plan
  variables {
    kms_key_arn = "alias/aws/rds"
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
