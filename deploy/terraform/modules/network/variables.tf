variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "cidr" {
  description = "The addresses of the VPC. A sixteenth of them is one subnet."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("/(1[6-9]|20)$", var.cidr))
    error_message = "cidr: write an IPv4 network of /16 to /20, as in \"10.20.0.0/16\". A subnet of a smaller one would have too few addresses for a deployment, which doubles the tasks."
  }
  validation {
    condition     = can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", var.cidr))
    error_message = "cidr: choose private addresses (RFC 1918): 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "zone_count" {
  description = "The number of availability zones. Each has a public and a private subnet."
  type        = number
  default     = 2
  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "zone_count: choose 2 or 3. With one, the gateway is down when the zone is."
  }
}

variable "nat" {
  description = "How tasks reach the internet. `per_zone`: a NAT gateway in each zone. `one`: one for all, which is cheaper and has no spare. `none`: not at all; needs `endpoints_enabled`."
  type        = string
  default     = "per_zone"
  validation {
    condition     = contains(["per_zone", "one", "none"], var.nat)
    error_message = "nat: choose per_zone, one or none."
  }
  validation {
    condition     = var.nat != "none" || var.endpoints_enabled
    error_message = "nat: with \"none\" tasks reach neither the registry nor the logs. Set endpoints_enabled = true, or choose per_zone or one."
  }
}

variable "endpoints_enabled" {
  description = "Reach the registry, the logs and the secrets by endpoints within the VPC. S3 always has one, which costs nothing."
  type        = bool
  default     = false
}

variable "client_cidrs" {
  description = "The networks of clients that may connect to the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  validation {
    condition     = length(var.client_cidrs) > 0 && alltrue([for each in var.client_cidrs : can(cidrhost(each, 0)) && strcontains(each, ".")])
    error_message = "client_cidrs: write at least one IPv4 network, as in [\"203.0.113.0/24\"]."
  }
}

variable "test_client_cidrs" {
  description = "The networks that may ask a new version before clients do, at the `test_port`. Default: nobody."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for each in var.test_client_cidrs : can(cidrnetmask(each))])
    error_message = "test_client_cidrs: write IPv4 networks, as in [\"203.0.113.0/24\"]."
  }
  validation {
    condition     = !contains(var.test_client_cidrs, "0.0.0.0/0")
    error_message = "test_client_cidrs: this is everybody. Clients would reach versions that nobody has tried."
  }
}

variable "test_port" {
  description = "The port of the load balancer at which a new version answers, as in the module `gateway`."
  type        = number
  default     = 8443
  validation {
    condition     = var.test_port >= 1 && var.test_port <= 65535 && var.test_port != 443
    error_message = "test_port: choose 1 to 65535, and not 443, where clients come."
  }
}

variable "gateway_port" {
  description = "Where the gateway's tasks take requests."
  type        = number
  default     = 8080
  validation {
    condition     = var.gateway_port >= 1024 && var.gateway_port <= 65535
    error_message = "gateway_port: choose 1024 to 65535. The gateway is not root, and may not listen below."
  }
}

variable "admin_port" {
  description = "Where the gateway's tasks answer health checks."
  type        = number
  default     = 9901
  validation {
    condition     = var.admin_port >= 1024 && var.admin_port <= 65535
    error_message = "admin_port: choose 1024 to 65535. The gateway is not root, and may not listen below."
  }
  validation {
    condition     = var.admin_port != var.gateway_port
    error_message = "admin_port: it must not be the gateway_port. Clients would reach the metrics."
  }
}

variable "shard_ports" {
  description = "The ports of the shards. The gateway may connect to no others."
  type        = set(number)
  default     = [8000]
  validation {
    condition     = length(var.shard_ports) > 0 && alltrue([for port in var.shard_ports : port >= 1 && port <= 65535])
    error_message = "shard_ports: write at least one port, each of 1 to 65535."
  }
}

variable "shard_cidrs" {
  description = "Networks in which shards are. Default: this VPC."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for each in var.shard_cidrs : can(cidrhost(each, 0))])
    error_message = "shard_cidrs: write networks, as in [\"10.30.0.0/16\"]."
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


variable "log_retention_in_days" {
  description = "How long log lines are kept, in days."
  type        = number
  default     = 365
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days: CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

