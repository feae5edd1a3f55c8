module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "network" {
  source      = "../.."
  name        = "shardgate-example"
  kms_key_arn = module.key.arn
}
