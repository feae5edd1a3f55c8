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

run "defaults" {
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:example/platform:environment:staging"
    error_message = "Jobs of this repository and this environment may deploy, and no others."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    error_message = "A token for somebody else must not do."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this["images"].policy, "PutImage")
    error_message = "An environment must not push images, unless it is the one that does."
  }
  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.this["state"].policy).Statement : !strcontains(jsonencode(s.Resource), "*")
    ])
    error_message = "The state of another environment must not be reached."
  }
  assert {
    condition     = !strcontains(join(" ", [for policy in aws_iam_role_policy.this : policy.policy]), "GetSecretValue")
    error_message = "The pipeline must not read secrets."
  }
  assert {
    condition = alltrue([
      for s in jsondecode(aws_iam_role_policy.this["deploy"].policy).Statement : s.Condition.StringEquals["iam:PassedToService"] != "" if s.Action == "iam:PassRole"
    ])
    error_message = "A role may be passed to ECS alone."
  }
  assert {
    condition = alltrue([
      for action in jsondecode(aws_iam_role_policy.this["refresh"].policy).Statement[0].Action : can(regex(":(Describe|Get|List)", action))
    ])
    error_message = "What has no bound on its resource must only read."
  }
  assert {
    condition     = aws_iam_role.this.max_session_duration == 3600
    error_message = "A job may act for an hour."
  }
}
