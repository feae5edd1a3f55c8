module "delivery" {
  source            = "../.."
  name              = "shardgate-staging"
  repository        = "example/platform"
  environment       = "staging"
  oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  state_bucket_arn  = "arn:aws:s3:::example-state"
  state_key         = "staging/terraform.tfstate"
  registry_arn      = "arn:aws:ecr:eu-west-1:123456789012:repository/shardgate"
  kms_key_arns      = ["arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"]
  push_enabled      = true
}
