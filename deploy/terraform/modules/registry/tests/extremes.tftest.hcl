variables {
  name        = "shardgate"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "fewest_images" {
  command = plan
  variables {
    kept_images   = 2
    untagged_days = 1
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countNumber] == [1, 2]
    error_message = "The version before must be kept."
  }
}

run "another_account" {
  variables {
    name             = "platform/shardgate"
    pulling_accounts = ["210987654321"]
  }
  assert {
    condition     = jsondecode(aws_ecr_repository_policy.pull[0].policy).Statement[0].Principal.AWS == "arn:aws:iam::210987654321:root"
    error_message = "The named account must be allowed to pull."
  }
  assert {
    condition     = !strcontains(aws_ecr_repository_policy.pull[0].policy, "PutImage")
    error_message = "Another account must not push."
  }
}
