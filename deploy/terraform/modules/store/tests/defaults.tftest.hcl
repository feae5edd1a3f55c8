variables {
  name              = "shardgate-test"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/test"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-store"
}

run "defaults" {
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.kms_key_arn
    error_message = "The database must be encrypted by the given key."
  }
  assert {
    condition     = aws_db_instance.this.multi_az && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection
    error_message = "The database must have a second, be private, and not be deleted by accident."
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 14 && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups
    error_message = "Backups must be kept for 14 days, and outlive the database."
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "Terraform must not know the password."
  }
  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"]) == "1"
    error_message = "Connections without TLS must be refused."
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "The parameters must be those of the database's version."
  }
  assert {
    condition     = startswith(output.secret_arn, "arn:aws:secretsmanager:") && output.port == 5432
    error_message = "The outputs must say where the database and its password are."
  }
}
