variables {
  name = "shardgate-test"
}

run "defaults" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The key must be rotated, and be there for 30 days after it was deleted."
  }
  assert {
    condition     = aws_kms_alias.this.name == "alias/shardgate-test"
    error_message = "The alias must have the name."
  }
  assert {
    condition = alltrue([
      for s in jsondecode(aws_kms_key.this.policy).Statement : length(s.Condition) > 0 if s.Sid != "Account"
    ])
    error_message = "A service may use the key only under a condition."
  }
  assert {
    condition     = startswith(output.arn, "arn:aws:kms:")
    error_message = "The output must be the ARN."
  }
}
