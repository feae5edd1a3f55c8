variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "none" {
  variables {
    secrets = {}
  }
  assert {
    condition     = length(output.arns) == 0
    error_message = "A gateway may need no secret."
  }
}

run "rotated" {
  variables {
    recovery_window_in_days = 7
    secrets                 = { cursors = "Cursors", jwt-key = "Tokens" }
    rotation                = { jwt-key = { lambda_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate", days = 1 } }
  }
  assert {
    condition     = join(",", keys(aws_secretsmanager_secret_rotation.this)) == "jwt-key"
    error_message = "The named secret must be rotated, and no other."
  }
  assert {
    condition     = aws_secretsmanager_secret_rotation.this["jwt-key"].rotation_rules[0].automatically_after_days == 1
    error_message = "It must be rotated as often as is said."
  }
}
