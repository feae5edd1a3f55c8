variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
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

variable "load_balancer_arn_suffix" {
  description = "The load balancer as its metrics name it: the output `load_balancer_arn_suffix` of the module `gateway`."
  type        = string
}

variable "cluster_name" {
  description = "The ECS cluster: the output `cluster_name` of the module `gateway`."
  type        = string
}

variable "service_name" {
  description = "The ECS service. It is named and not read from the module `gateway`, whose service waits for these alarms."
  type        = string
  default     = "gateway"
}

variable "tasks" {
  description = "The smallest and the largest number of tasks, as in the module `gateway`."
  type        = object({ min = number, max = number })
  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min
    error_message = "tasks: min must be at least 1, and max at least min."
  }
}

variable "availability_target_percent" {
  description = "Of all requests: how many must not fail on our side, in percent over 30 days."
  type        = number
  default     = 99.9
  validation {
    condition     = var.availability_target_percent >= 90 && var.availability_target_percent <= 99.99
    error_message = "availability_target_percent: choose 90 to 99.99. Above, one failed request would call somebody."
  }
}

variable "p90_s" {
  description = "The p90 of the time to a reply above which somebody is called, in seconds."
  type        = number
  default     = 1
  validation {
    condition     = var.p90_s > 0 && var.p90_s <= 30
    error_message = "p90_s: choose more than 0 and at most 30 seconds."
  }
}

variable "requests_min" {
  description = "With fewer requests in five minutes no ratio is judged: one failure of three is no outage."
  type        = number
  default     = 100
  validation {
    condition     = var.requests_min >= 1
    error_message = "requests_min: write at least 1."
  }
}

variable "notified_emails" {
  description = "Who gets a mail when an alarm goes off or ends. Each must confirm the first mail."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for address in var.notified_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "notified_emails: write addresses, as in [\"oncall@example.com\"]."
  }
}

variable "database_identifier" {
  description = "The database: the output `identifier` of the module `store`. Null: there is none."
  type        = string
  default     = null
}

variable "database_storage_free_min_gib" {
  description = "Free space of the database below which somebody is called, in GiB."
  type        = number
  default     = 5
  validation {
    condition     = var.database_storage_free_min_gib > 0
    error_message = "database_storage_free_min_gib: write more than 0."
  }
}

variable "log_bucket_days" {
  description = "How long the load balancer's log is kept, in days."
  type        = number
  default     = 90
  validation {
    condition     = var.log_bucket_days >= 1 && floor(var.log_bucket_days) == var.log_bucket_days
    error_message = "log_bucket_days: write a whole number of days, at least 1."
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
