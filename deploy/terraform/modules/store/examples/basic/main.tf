module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "network" {
  source      = "../../../network"
  name        = "shardgate-example"
  kms_key_arn = module.key.arn
}

module "store" {
  source            = "../.."
  name              = "shardgate-example"
  kms_key_arn       = module.key.arn
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["store"]
}
