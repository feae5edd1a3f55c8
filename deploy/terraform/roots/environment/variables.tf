# The two environments differ in these alone: environments/staging.tfvars, environments/production.tfvars.

variable "project" {
  description = "What everything is called."
  type        = string
  default     = "shardgate"
}

variable "environment" {
  description = "`staging` or `production`."
  type        = string
  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment: choose staging or production."
  }
}

variable "region" {
  description = "The region of AWS, as in `eu-west-1`."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: write a region of AWS, as in \"eu-west-1\"."
  }
}

variable "image" {
  description = "The image with its version; the pipeline gives it: `TF_VAR_image`."
  type        = string
}

variable "pull_key_arns" {
  description = "The key of the registry: the output `kms_key_arn` of the root `account`."
  type        = list(string)
  default     = []
}

variable "domain" {
  description = "The name by which clients reach the gateway, as in `api.example.com`."
  type        = string
}

variable "zone_id" {
  description = "The hosted zone of Route 53 that the domain is in."
  type        = string
}

variable "shards" {
  description = "Shard → where it is: `{ port = 8000 }` in service discovery, or `{ url = \"http://…\" }`."
  type        = map(object({ port = optional(number), url = optional(string) }))
}

variable "shard_cidrs" {
  description = "Networks in which shards are. Default: this VPC."
  type        = list(string)
  default     = []
}

variable "cidr" {
  description = "The addresses of the VPC."
  type        = string
  default     = "10.20.0.0/16"
}

variable "zone_count" {
  description = "The number of availability zones: 2 or 3."
  type        = number
  default     = 2
}

variable "nat" {
  description = "`per_zone`, `one` or `none`."
  type        = string
  default     = "per_zone"
}

variable "endpoints_enabled" {
  description = "Reach AWS's services by endpoints within the VPC."
  type        = bool
  default     = false
}

variable "client_cidrs" {
  description = "The networks of clients."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "task" {
  description = "The size of a task."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 1024, memory = 2048 }
}

variable "architecture" {
  description = "`ARM64` or `X86_64`, as the image is built."
  type        = string
  default     = "X86_64"
}

variable "tasks" {
  description = "The smallest and the largest number of tasks."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 8 }
}

variable "deployment" {
  description = "`blue_green` or `rolling`."
  type        = string
  default     = "blue_green"
}

variable "test_client_cidrs" {
  description = "Blue/green: the networks that may ask a new version before clients do, at port 8443. Default: nobody."
  type        = list(string)
  default     = []
}

variable "hooks" {
  description = "Blue/green: functions of Lambda that ECS asks whether a deployment goes on."
  type        = list(object({ function_arn = string, role_arn = string, stages = list(string) }))
  default     = []
}

variable "bake_time_minutes" {
  description = "Blue/green: how long the old tasks stay."
  type        = number
  default     = 10
}

variable "store" {
  description = "Where the gateway keeps its store: `none`, `volume` with one task, or `database`, which makes one that all tasks share."
  type        = string
  default     = "none"
}

variable "database_instance_class" {
  description = "The size of the database."
  type        = string
  default     = "db.t4g.medium"
}

variable "secrets" {
  description = "Name → what the secret is."
  type        = map(string)
  default     = { cursors = "What the cursors of lists are signed with: one secret of 32 characters or more a line" }
}

variable "secret_variables" {
  description = "Environment variable of the gateway → name of the secret that ECS puts into it."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in values(var.secret_variables) : contains(keys(var.secrets), name)])
    error_message = "secret_variables: names a secret that is not in `secrets`."
  }
}

variable "gateway_environment" {
  description = "Further environment variables of the gateway."
  type        = map(string)
  default     = {}
}

variable "waf_enabled" {
  description = "Put the firewall of AWS in front."
  type        = bool
  default     = false
}

variable "availability_target_percent" {
  description = "How many of the requests must not fail on our side."
  type        = number
  default     = 99.9
}

variable "p90_s" {
  description = "The p90 of the time to a reply above which tasks are added and somebody is called, in seconds."
  type        = number
  default     = 1
}

variable "notified_emails" {
  description = "Who gets a mail from alarms."
  type        = set(string)
  default     = []
}

variable "log_retention_in_days" {
  description = "How long log lines are kept."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer and the database."
  type        = bool
  default     = true
}
