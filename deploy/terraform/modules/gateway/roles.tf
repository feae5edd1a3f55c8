# Three roles: ECS starts the task by one, the gateway runs with another, and blue/green moves clients by the third.

data "aws_iam_policy_document" "assumed_by_tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.here.partition}:ecs:${data.aws_region.here.region}:${data.aws_caller_identity.here.account_id}:*"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "ECS pulls the image, writes the log and reads the secrets"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_tasks.json
}

# The gateway calls nothing of AWS, and may do nothing there: whoever takes over the process has no rights.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "What the gateway itself may do"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_tasks.json
}

data "aws_iam_policy_document" "execution" {
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource
  statement {
    sid       = "Token"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Pull"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.repository_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.here.partition}:logs:${data.aws_region.here.region}:${data.aws_caller_identity.here.account_id}:log-group:${var.log_group_name}:*"]
  }

  dynamic "statement" {
    for_each = length(var.secrets) > 0 ? [1] : []
    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = distinct(values(var.secrets))
    }
  }

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = distinct(concat([var.kms_key_arn], var.pull_key_arns))
    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["ecr.*.amazonaws.com", "secretsmanager.*.amazonaws.com"]
    }
  }
}

locals {
  # 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.4.0 → the repository's ARN. Images from elsewhere need no right.
  repository = try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.[^/]+/([^:@]+)", var.image), ["000000000000", "none", "none"])
  repository_arn = format(
    "arn:%s:ecr:%s:%s:repository/%s", data.aws_partition.here.partition, local.repository[1], local.repository[0], local.repository[2]
  )
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

data "aws_iam_policy_document" "assumed_by_ecs" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_iam_role" "infrastructure" {
  count              = var.deployment == "blue_green" ? 1 : 0
  name               = "${var.name}-infrastructure"
  description        = "ECS moves clients from blue to green"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_ecs.json
}

resource "aws_iam_role_policy_attachment" "infrastructure" {
  count      = length(aws_iam_role.infrastructure)
  role       = aws_iam_role.infrastructure[0].name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}
