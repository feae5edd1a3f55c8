module "key" {
  source = "../.."
  name   = "shardgate-example"
}
