# The folder of the one task that keeps a store. It outlives the task.

resource "aws_efs_file_system" "state" {
  count           = var.store == "volume" ? 1 : 0
  creation_token  = "${var.name}-state"
  encrypted       = true
  kms_key_id      = var.kms_key_arn
  throughput_mode = "elastic"
  tags            = { Name = "${var.name}-state" }
}

resource "aws_efs_backup_policy" "state" {
  count          = length(aws_efs_file_system.state)
  file_system_id = aws_efs_file_system.state[0].id
  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "state" {
  for_each        = var.store == "volume" ? { for index, id in var.private_subnet_ids : index => id } : {}
  file_system_id  = aws_efs_file_system.state[0].id
  subnet_id       = each.value
  security_groups = [var.security_group_ids["volume"]]
}

resource "aws_efs_access_point" "state" {
  count          = length(aws_efs_file_system.state)
  file_system_id = aws_efs_file_system.state[0].id
  posix_user {
    uid = local.user
    gid = local.user
  }
  root_directory {
    path = "/shardgate"
    creation_info {
      owner_uid   = local.user
      owner_gid   = local.user
      permissions = "0700"
    }
  }
  tags = { Name = "${var.name}-state" }
}

data "aws_iam_policy_document" "volume" {
  count = length(aws_efs_file_system.state)
  statement {
    sid       = "Mount"
    actions   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    resources = [aws_efs_file_system.state[0].arn]
    condition {
      test     = "StringEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values   = [aws_efs_access_point.state[0].arn]
    }
  }
}

resource "aws_iam_role_policy" "volume" {
  count  = length(aws_efs_file_system.state)
  name   = "mount"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.volume[0].json
}
