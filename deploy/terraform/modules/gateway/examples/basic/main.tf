# A gateway over two shards, one of them in service discovery.

module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "network" {
  source      = "../../../network"
  name        = "shardgate-example"
  kms_key_arn = module.key.arn
}

module "gateway" {
  source             = "../.."
  name               = "shardgate-example"
  kms_key_arn        = module.key.arn
  vpc_id             = module.network.vpc_id
  public_subnet_ids  = module.network.public_subnet_ids
  private_subnet_ids = module.network.private_subnet_ids
  security_group_ids = module.network.security_group_ids
  certificate_arn    = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
  log_group_name     = "/shardgate-example/gateway"
  log_bucket         = "shardgate-example-logs"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.0.0"
  shards = {
    north = { port = 8000 }
    south = { url = "https://south.example.com" }
  }
}
