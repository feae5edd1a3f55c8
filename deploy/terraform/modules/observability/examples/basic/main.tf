module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "observability" {
  source                   = "../.."
  name                     = "shardgate-example"
  kms_key_arn              = module.key.arn
  load_balancer_arn_suffix = "app/shardgate-example/0123456789abcdef"
  cluster_name             = "shardgate-example"
  tasks                    = { min = 2, max = 8 }
  notified_emails          = ["oncall@example.com"]
}
