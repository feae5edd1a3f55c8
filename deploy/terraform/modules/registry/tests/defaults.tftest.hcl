variables {
  name        = "shardgate"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/test"
}

run "defaults" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag must not change what it names."
  }
  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Images must be scanned."
  }
  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS" && aws_ecr_repository.this.encryption_configuration[0].kms_key == var.kms_key_arn
    error_message = "Images must be encrypted by the given key."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countNumber] == [7, 50]
    error_message = "Images without a tag go after 7 days, and 50 others stay."
  }
  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 0
    error_message = "No other account may pull, unless it is named."
  }
}
