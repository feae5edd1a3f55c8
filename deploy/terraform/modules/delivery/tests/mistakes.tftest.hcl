variables {
  name              = "shardgate-test"
  repository        = "example/platform"
  environment       = "staging"
  oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  state_bucket_arn  = "arn:aws:s3:::example-state"
  state_key         = "staging/terraform.tfstate"
  registry_arn      = "arn:aws:ecr:eu-west-1:123456789012:repository/shardgate"
  kms_key_arns      = ["arn:aws:kms:eu-west-1:123456789012:key/test"]
}

run "repositories_of_others" {
  command = plan
  variables {
    repository = "example/*"
  }
  expect_failures = [var.repository]
}

run "no_owner" {
  command = plan
  variables {
    repository = "platform"
  }
  expect_failures = [var.repository]
}

run "every_environment" {
  command = plan
  variables {
    environment = "*"
  }
  expect_failures = [var.environment]
}

run "another_identity_provider" {
  command = plan
  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/example.com"
  }
  expect_failures = [var.oidc_provider_arn]
}

run "name_of_a_bucket" {
  command = plan
  variables {
    state_bucket_arn = "example-state"
  }
  expect_failures = [var.state_bucket_arn]
}

run "every_state" {
  command = plan
  variables {
    state_key = "*"
  }
  expect_failures = [var.state_key]
}

run "no_repository_of_images" {
  command = plan
  variables {
    registry_arn = "*"
  }
  expect_failures = [var.registry_arn]
}

run "no_key" {
  command = plan
  variables {
    kms_key_arns = []
  }
  expect_failures = [var.kms_key_arns]
}

run "every_key" {
  command = plan
  variables {
    kms_key_arns = ["*"]
  }
  expect_failures = [var.kms_key_arns]
}

run "half_an_hour" {
  command = plan
  variables {
    session_minutes = 30
  }
  expect_failures = [var.session_minutes]
}


run "capital_letters_in_the_name" {
  command = plan
  variables {
    name = "Shardgate"
  }
  expect_failures = [var.name]
}
