module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "secrets" {
  source      = "../.."
  name        = "shardgate-example"
  kms_key_arn = module.key.arn
  secrets = {
    cursors = "What the cursors of lists are signed with"
    jwt-key = "The key that access tokens are verified with"
  }
}
