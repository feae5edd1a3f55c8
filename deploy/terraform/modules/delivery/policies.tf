# What the pipeline may do: put a version into the registry, register it as a task definition, and tell the service to run it.
# It may read what Terraform compares, and change nothing else: a change of the infrastructure is applied by a person.

data "aws_iam_policy_document" "state" {
  statement {
    sid       = "Find"
    actions   = ["s3:ListBucket"]
    resources = [var.state_bucket_arn]
    condition {
      test     = "StringEquals"
      variable = "s3:prefix"
      values   = [var.state_key, "${var.state_key}.tflock"]
    }
  }
  statement {
    sid       = "State"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${var.state_bucket_arn}/${var.state_key}"]
  }
  statement {
    sid       = "Lock"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${var.state_bucket_arn}/${var.state_key}.tflock"]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = var.kms_key_arns
    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["s3.*.amazonaws.com", "ecr.*.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "images" {
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource
  statement {
    sid       = "Token"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid       = "Pull"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer"]
    resources = [var.registry_arn]
  }
  dynamic "statement" {
    for_each = var.push_enabled ? [1] : []
    content {
      sid       = "Push"
      actions   = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
      resources = [var.registry_arn]
    }
  }
}

data "aws_iam_policy_document" "deploy" {
  #checkov:skip=CKV_AWS_111:ecs:DeregisterTaskDefinition knows no resource; the role that a task may have is bounded by PassRoles
  #checkov:skip=CKV_AWS_356:ecs:DeregisterTaskDefinition knows no resource; the role that a task may have is bounded by PassRoles
  statement {
    sid       = "Deploy"
    actions   = ["ecs:StopServiceDeployment", "ecs:UpdateService"]
    resources = ["${local.service}:service/${var.name}/*", "${local.service}:service-deployment/${var.name}/*"]
  }
  statement {
    sid       = "Register"
    actions   = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
    resources = ["${local.service}:task-definition/${var.name}:*"]
  }
  statement {
    sid       = "Deregister"
    actions   = ["ecs:DeregisterTaskDefinition"]
    resources = ["*"]
  }
  statement {
    sid     = "PassRoles"
    actions = ["iam:PassRole"]
    resources = [
      for role in ["execution", "task"] : "${local.prefix}:iam::${local.account}:role/${var.name}-${role}"
    ]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
  statement {
    sid     = "PassInfrastructureRole"
    actions = ["iam:PassRole"]
    resources = [
      "${local.prefix}:iam::${local.account}:role/${var.name}-infrastructure"
    ]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs.amazonaws.com"]
    }
  }
}

# Terraform compares what is there with what should be. Values of secrets are not among what it reads.
data "aws_iam_policy_document" "refresh" {
  #checkov:skip=CKV_AWS_356:these read, and most of them know no resource
  #checkov:skip=CKV_AWS_108:no value of a secret and no object of a bucket is among what may be read
  statement {
    sid = "Read"
    actions = [
      "acm:DescribeCertificate", "acm:ListTagsForCertificate",
      "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies", "application-autoscaling:ListTagsForResource",
      "cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:GetMetricData", "cloudwatch:ListTagsForResource",
      "ec2:Describe*",
      "ecs:Describe*", "ecs:List*",
      "elasticfilesystem:Describe*", "elasticfilesystem:ListTagsForResource",
      "elasticloadbalancing:Describe*",
      "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
      "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListResourceTags",
      "logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:ListTagsForResource",
      "rds:Describe*", "rds:ListTagsForResource",
      "route53:GetChange", "route53:GetHostedZone", "route53:ListHostedZones", "route53:ListResourceRecordSets", "route53:ListTagsForResource",
      "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
      "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
      "servicediscovery:GetNamespace", "servicediscovery:GetService", "servicediscovery:ListTagsForResource",
      "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListTagsForResource",
      "wafv2:GetIPSet", "wafv2:GetLoggingConfiguration", "wafv2:GetWebACL", "wafv2:GetWebACLForResource", "wafv2:ListTagsForResource",
    ]
    resources = ["*"]
  }
}
