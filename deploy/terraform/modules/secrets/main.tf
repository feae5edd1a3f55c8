# Secrets without their values: what is in a Terraform state can be read by all who may read the state.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:a secret of the gateway is renewed by adding a line to it, which no function of AWS can do; `rotation` names one's own
  for_each                = var.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
}

data "aws_caller_identity" "here" {}

# Nobody of another account reads it, whatever the rights there say.
data "aws_iam_policy_document" "own_account" {
  for_each = var.secrets
  statement {
    sid       = "OwnAccountOnly"
    effect    = "Deny"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.this[each.key].arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_secretsmanager_secret_policy" "this" {
  for_each            = var.secrets
  secret_arn          = aws_secretsmanager_secret.this[each.key].arn
  policy              = data.aws_iam_policy_document.own_account[each.key].json
  block_public_policy = true
}

resource "aws_secretsmanager_secret_rotation" "this" {
  #checkov:skip=CKV_AWS_304:the validation of `rotation` accepts 90 days at most
  for_each            = var.rotation
  secret_id           = aws_secretsmanager_secret.this[each.key].id
  rotation_lambda_arn = each.value.lambda_arn
  rotation_rules {
    automatically_after_days = each.value.days
  }
}
