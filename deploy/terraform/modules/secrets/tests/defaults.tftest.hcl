variables {
  name        = "shardgate-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "defaults" {
  assert {
    condition     = aws_secretsmanager_secret.this["cursors"].name == "shardgate-test/cursors"
    error_message = "A secret must be below the environment's name."
  }
  assert {
    condition     = aws_secretsmanager_secret.this["cursors"].kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.this["cursors"].recovery_window_in_days == 30
    error_message = "A secret must be encrypted by the given key, and be there for 30 days after it was deleted."
  }
  assert {
    condition     = length(aws_secretsmanager_secret_rotation.this) == 0
    error_message = "Nothing is renewed by itself unless a function is named."
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_policy.this["cursors"].policy).Statement[0].Effect == "Deny"
    error_message = "Other accounts must be kept out."
  }
  assert {
    condition     = join(",", keys(output.arns)) == "cursors"
    error_message = "Each secret must have its ARN among the outputs."
  }
}
