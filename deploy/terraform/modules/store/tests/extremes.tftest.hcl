variables {
  name              = "shardgate-test"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/test"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-store"
}

run "smallest" {
  command = plan
  variables {
    storage_gib         = 20
    storage_max_gib     = 22
    backup_days         = 1
    multi_az            = false
    deletion_protection = false
    engine_version      = "14"
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 1 && aws_db_instance.this.max_allocated_storage == 22
    error_message = "The smallest database must be accepted."
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres14"
    error_message = "The parameters must be those of the database's version."
  }
}

run "largest" {
  command = plan
  variables {
    storage_gib     = 59578
    storage_max_gib = 65536
    backup_days     = 35
    instance_class  = "db.r8g.16xlarge"
    subnet_ids      = ["subnet-a", "subnet-b", "subnet-c"]
  }
  assert {
    condition     = length(aws_db_subnet_group.this.subnet_ids) == 3
    error_message = "Three zones must be accepted."
  }
}
