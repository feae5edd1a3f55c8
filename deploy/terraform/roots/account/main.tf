# What an account has once: the bucket for Terraform's state, the registry, and the pipeline's roles. A person applies it, from a laptop.

provider "aws" {
  region = var.region
  default_tags {
    tags = { Project = var.project, Environment = "account", ManagedBy = "terraform" }
  }
}

data "aws_caller_identity" "here" {}

module "key" {
  source = "../../modules/key"
  name   = "${var.project}-account"
}

module "registry" {
  source      = "../../modules/registry"
  name        = var.project
  kms_key_arn = module.key.arn
}

locals {
  # An account has one identity provider of GitHub.
  provider_arn = var.oidc_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.oidc_provider_arn
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.oidc_provider_arn == null ? 1 : 0
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "delivery" {
  source            = "../../modules/delivery"
  for_each          = var.environments
  name              = "${var.project}-${each.key}"
  repository        = var.repository
  environment       = each.key
  oidc_provider_arn = local.provider_arn
  state_bucket_arn  = aws_s3_bucket.state.arn
  state_key         = "${each.key}/terraform.tfstate"
  registry_arn      = module.registry.arn
  kms_key_arns      = [module.key.arn]
  push_enabled      = each.key == "staging" # production runs what staging has tried
  session_minutes   = 120                   # as the jobs of .github/workflows/delivery.yml ask for
}
