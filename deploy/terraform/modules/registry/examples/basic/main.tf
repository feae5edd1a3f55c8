module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "registry" {
  source      = "../.."
  name        = "shardgate"
  kms_key_arn = module.key.arn
}
