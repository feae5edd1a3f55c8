variables {
  region     = "eu-west-1"
  repository = "example/platform"
}

# It is only planned: the bucket refuses to be destroyed, as it would be at the end of an apply.
run "defaults" {
  command = plan

  assert {
    condition     = join(",", keys(output.role_arns)) == "production,staging"
    error_message = "Each environment must have a role of its own."
  }
  assert {
    condition     = aws_s3_bucket.state.tags_all["Project"] == "shardgate" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "The state must be tagged, and its versions be kept."
  }
  assert {
    condition     = output.state_bucket == "shardgate-state-123456789012"
    error_message = "The bucket must have a name that no other account has."
  }
}

# What docs/howto/ecs.md says of a lost region: nothing has a name that the account has already.
run "in_another_region" {
  command = plan
  variables {
    region            = "us-west-2"
    project           = "sg-usw2"
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }
  assert {
    condition     = output.state_bucket == "sg-usw2-state-123456789012" && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "The bucket must have another name, and the provider be the one that is there."
  }
}

run "no_region" {
  command = plan
  variables {
    region = "Ireland"
  }
  expect_failures = [var.region]
}

run "unknown_environment" {
  command = plan
  variables {
    environments = ["test"]
  }
  expect_failures = [var.environments]
}

run "name_too_long" {
  command = plan
  variables {
    project = "shardgate-eu"
  }
  expect_failures = [var.project]
}
