run "shortest" {
  command = plan
  variables {
    name                    = "sg"
    deletion_window_in_days = 7
  }
  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 7
    error_message = "The shortest window must be accepted."
  }
}

run "longest" {
  command = plan
  variables {
    name = "shardgate-production-x"
  }
  assert {
    condition     = aws_kms_alias.this.name == "alias/shardgate-production-x"
    error_message = "A name of 22 characters must be accepted."
  }
}
