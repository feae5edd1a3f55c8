# The pipeline's role. It has no key that could leak: GitHub says which repository and which environment a job is of, and AWS believes no other.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
  prefix  = "arn:${data.aws_partition.here.partition}"
  region  = data.aws_region.here.region
  service = "${local.prefix}:ecs:${local.region}:${local.account}"
}

data "aws_iam_policy_document" "assumed_by_github" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.repository}:environment:${var.environment}"]
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-delivery"
  description          = "Jobs of ${var.repository} in the environment ${var.environment}"
  assume_role_policy   = data.aws_iam_policy_document.assumed_by_github.json
  max_session_duration = var.session_minutes * 60
}

resource "aws_iam_role_policy" "this" {
  for_each = {
    state   = data.aws_iam_policy_document.state.json
    images  = data.aws_iam_policy_document.images.json
    deploy  = data.aws_iam_policy_document.deploy.json
    refresh = data.aws_iam_policy_document.refresh.json
  }
  name   = each.key
  role   = aws_iam_role.this.id
  policy = each.value
}
