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

run "environment_that_pushes" {
  variables {
    push_enabled    = true
    session_minutes = 720
  }
  assert {
    condition = [
      for s in jsondecode(aws_iam_role_policy.this["images"].policy).Statement : s.Resource if s.Sid == "Push"
    ] == [var.registry_arn]
    error_message = "It may push into its repository, and no other."
  }
  assert {
    condition     = aws_iam_role.this.max_session_duration == 43200
    error_message = "The longest session must be accepted."
  }
}
