variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "domain" {
  description = "The name by which clients reach the gateway, as in `api.example.com`."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "domain: write a full name in lower-case letters, as in \"api.example.com\". Wildcards are not accepted: a certificate for one name is lost with one gateway alone."
  }
}

variable "zone_id" {
  description = "The hosted zone of Route 53 that the domain is in. It must be there already."
  type        = string
  validation {
    condition     = can(regex("^Z[A-Z0-9]+$", var.zone_id))
    error_message = "zone_id: write the id of a hosted zone, as in \"Z0123456789ABCDEFGHIJ\"."
  }
}

variable "load_balancer_arn" {
  description = "The load balancer: the output `load_balancer_arn` of the module `gateway`."
  type        = string
}

variable "load_balancer_dns_name" {
  description = "The load balancer's own name: the output `load_balancer_dns_name` of the module `gateway`."
  type        = string
}

variable "load_balancer_zone_id" {
  description = "The zone of that name: the output `load_balancer_zone_id` of the module `gateway`."
  type        = string
}

variable "waf_enabled" {
  description = "Put the firewall of AWS in front: known bad input, addresses of bad repute, and a bound on each address."
  type        = bool
  default     = false
}

variable "waf_rate_per_5_minutes" {
  description = "How many requests one address may send in five minutes. Partners that send more from one address must be in `waf_unlimited_cidrs`."
  type        = number
  default     = 30000
  validation {
    condition     = var.waf_rate_per_5_minutes >= 10 && var.waf_rate_per_5_minutes <= 2000000000 && floor(var.waf_rate_per_5_minutes) == var.waf_rate_per_5_minutes
    error_message = "waf_rate_per_5_minutes: AWS accepts 10 to 2000000000, whole."
  }
}

variable "waf_unlimited_cidrs" {
  description = "Networks whose requests are not counted by the firewall, as in `[\"203.0.113.0/24\"]`."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for each in var.waf_unlimited_cidrs : can(cidrhost(each, 0)) && !endswith(each, "/0")])
    error_message = "waf_unlimited_cidrs: write networks, as in [\"203.0.113.0/24\"]; not /0, which would be everybody."
  }
}


variable "log_retention_in_days" {
  description = "How long log lines are kept, in days."
  type        = number
  default     = 365
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days: CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}


variable "kms_key_arn" {
  description = "The key that encrypts what this module keeps: the output `arn` of the module `key`."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: write the ARN of a key, as in \"arn:aws:kms:eu-west-1:123456789012:key/...\". An alias is no key."
  }
}
