module "key" {
  source = "../../../key"
  name   = "shardgate-example"
}

module "edge" {
  source                 = "../.."
  name                   = "shardgate-example"
  kms_key_arn            = module.key.arn
  domain                 = "api.example.com"
  zone_id                = "Z0123456789ABCDEFGHIJ"
  load_balancer_arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shardgate-example/0123456789abcdef"
  load_balancer_dns_name = "shardgate-example-1.eu-west-1.elb.amazonaws.com"
  load_balancer_zone_id  = "Z32O12XQLNTSW2"
  waf_enabled            = true
}
