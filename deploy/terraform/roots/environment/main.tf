# A whole environment. Modules hand values on in both directions; Terraform orders the resources, of which none waits for itself.

provider "aws" {
  region = var.region
  default_tags {
    tags = { Project = var.project, Environment = var.environment, ManagedBy = "terraform" }
  }
}

locals {
  name = "${var.project}-${var.environment}"
  # The ports that the gateway asks: those in service discovery, and those of URLs, of shards and of what collects its metrics.
  urls = concat(
    flatten([for shard in values(var.shards) : compact(split(" ", coalesce(shard.url, " ")))]),
    compact([lookup(var.gateway_environment, "SHARDGATE_OTLP_URL", "")]),
  )
  url_ports = [
    for url in local.urls :
    tonumber(coalesce(try(regex("^https?://[^/]*:([0-9]+)", url)[0], null), startswith(url, "https:") ? "443" : "80"))
  ]
  has_database = var.store == "database"
  shard_ports  = toset(concat([for shard in values(var.shards) : shard.port if shard.port != null], local.url_ports))
}

module "key" {
  source = "../../modules/key"
  name   = local.name
}

module "network" {
  source                = "../../modules/network"
  name                  = local.name
  cidr                  = var.cidr
  zone_count            = var.zone_count
  nat                   = var.nat
  endpoints_enabled     = var.endpoints_enabled
  client_cidrs          = var.client_cidrs
  test_client_cidrs     = var.test_client_cidrs
  shard_ports           = local.shard_ports
  shard_cidrs           = var.shard_cidrs
  log_retention_in_days = var.log_retention_in_days
  kms_key_arn           = module.key.arn
}

module "secrets" {
  source      = "../../modules/secrets"
  name        = local.name
  secrets     = var.secrets
  kms_key_arn = module.key.arn
}

module "store" {
  source              = "../../modules/store"
  count               = local.has_database ? 1 : 0
  name                = local.name
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.security_group_ids["store"]
  instance_class      = var.database_instance_class
  deletion_protection = var.deletion_protection
  kms_key_arn         = module.key.arn
}

module "edge" {
  source                 = "../../modules/edge"
  name                   = local.name
  domain                 = var.domain
  zone_id                = var.zone_id
  load_balancer_arn      = module.gateway.load_balancer_arn
  load_balancer_dns_name = module.gateway.load_balancer_dns_name
  load_balancer_zone_id  = module.gateway.load_balancer_zone_id
  waf_enabled            = var.waf_enabled
  log_retention_in_days  = var.log_retention_in_days
  kms_key_arn            = module.key.arn
}

module "observability" {
  source                      = "../../modules/observability"
  name                        = local.name
  load_balancer_arn_suffix    = module.gateway.load_balancer_arn_suffix
  cluster_name                = module.gateway.cluster_name
  tasks                       = var.tasks
  availability_target_percent = var.availability_target_percent
  p90_s                       = var.p90_s
  notified_emails             = var.notified_emails
  database_identifier         = local.has_database ? module.store[0].identifier : null
  log_retention_in_days       = var.log_retention_in_days
  kms_key_arn                 = module.key.arn
}

module "gateway" {
  source               = "../../modules/gateway"
  name                 = local.name
  vpc_id               = module.network.vpc_id
  public_subnet_ids    = module.network.public_subnet_ids
  private_subnet_ids   = module.network.private_subnet_ids
  security_group_ids   = module.network.security_group_ids
  certificate_arn      = module.edge.certificate_arn
  log_group_name       = module.observability.log_group_name
  log_bucket           = module.observability.log_bucket
  image                = var.image
  pull_key_arns        = var.pull_key_arns
  task                 = var.task
  architecture         = var.architecture
  tasks                = var.tasks
  store                = var.store
  database             = local.has_database ? { address = module.store[0].address, port = module.store[0].port, database = module.store[0].database } : null
  deployment           = var.deployment
  bake_time_minutes    = var.bake_time_minutes
  hooks                = var.hooks
  rollback_alarm_names = module.observability.rollback_alarm_names
  target_p90_s         = var.p90_s
  shards               = var.shards
  environment          = var.gateway_environment
  secrets              = { for variable, name in var.secret_variables : variable => module.secrets.arns[name] }
  deletion_protection  = var.deletion_protection
  kms_key_arn          = module.key.arn
}
