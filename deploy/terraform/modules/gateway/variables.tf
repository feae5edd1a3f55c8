variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "vpc_id" {
  description = "The VPC: the output `vpc_id` of the module `network`."
  type        = string
  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id: write the id of a VPC, as in \"vpc-0123456789abcdef0\"."
  }
}

variable "public_subnet_ids" {
  description = "The subnets of the load balancer, in two zones or more."
  type        = list(string)
  validation {
    condition     = length(distinct(var.public_subnet_ids)) >= 2
    error_message = "public_subnet_ids: a load balancer needs subnets in two zones or more."
  }
}

variable "private_subnet_ids" {
  description = "The subnets of the tasks, in two zones or more."
  type        = list(string)
  validation {
    condition     = length(distinct(var.private_subnet_ids)) >= 2
    error_message = "private_subnet_ids: name subnets in two zones or more. With one, the gateway is down when the zone is."
  }
}

variable "security_group_ids" {
  description = "The output `security_group_ids` of the module `network`; of it `load_balancer`, `gateway` and `volume`."
  type        = map(string)
  validation {
    condition     = alltrue([for group in ["load_balancer", "gateway", "volume"] : contains(keys(var.security_group_ids), group)])
    error_message = "security_group_ids: it must have load_balancer, gateway and volume."
  }
}

variable "certificate_arn" {
  description = "The certificate of the load balancer: the output `certificate_arn` of the module `edge`."
  type        = string
  validation {
    condition     = startswith(var.certificate_arn, "arn:") && strcontains(var.certificate_arn, ":acm:")
    error_message = "certificate_arn: write the ARN of a certificate of ACM."
  }
}

variable "log_group_name" {
  description = "Where the tasks' lines go: the output `log_group_name` of the module `observability`."
  type        = string
}

variable "log_bucket" {
  description = "The bucket for the load balancer's own log: the output `log_bucket` of the module `observability`."
  type        = string
}

variable "image" {
  description = "The image, with its tag or digest. It has the configuration in `/etc/shardgate`: see docs/howto/ecs.md."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "image: write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST, as in \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate:1.4.0\"."
  }
  validation {
    condition     = !endswith(var.image, ":latest")
    error_message = "image: name a version. What \"latest\" is changes, and then there is nothing to roll back to."
  }
}

variable "pull_key_arns" {
  description = "Keys that the images in the registry are encrypted with."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.pull_key_arns : can(regex("^arn:aws[a-z-]*:kms:", arn))])
    error_message = "pull_key_arns: write ARNs of keys."
  }
}

variable "task" {
  description = "The size of a task: `cpu` in units (1024 are one core) and `memory` in MiB, as Fargate offers them."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 1024, memory = 2048 }
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.task.cpu)
    error_message = "task: Fargate offers cpu = 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
  validation {
    condition = anytrue([
      var.task.cpu == 256 && contains([512, 1024, 2048], var.task.memory),
      var.task.cpu == 512 && contains(range(1024, 4097, 1024), var.task.memory),
      var.task.cpu == 1024 && contains(range(2048, 8193, 1024), var.task.memory),
      var.task.cpu == 2048 && contains(range(4096, 16385, 1024), var.task.memory),
      var.task.cpu == 4096 && contains(range(8192, 30721, 1024), var.task.memory),
      var.task.cpu == 8192 && contains(range(16384, 61441, 4096), var.task.memory),
      var.task.cpu == 16384 && contains(range(32768, 122881, 8192), var.task.memory),
      !contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.task.cpu),
    ])
    error_message = "task: Fargate does not offer this memory with this cpu. 256: 512, 1024 or 2048 MiB. 512: 1 to 4 GiB. 1024: 2 to 8. 2048: 4 to 16. 4096: 8 to 30. 8192: 16 to 60 in steps of 4. 16384: 32 to 120 in steps of 8."
  }
}

variable "architecture" {
  description = "The processor: `ARM64` costs a fifth less than `X86_64`. The image must be built for it."
  type        = string
  default     = "X86_64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture: choose ARM64 or X86_64."
  }
}

variable "tasks" {
  description = "The smallest and the largest number of tasks."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 8 }
  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min && var.tasks.max <= 500 && alltrue([for n in values(var.tasks) : floor(n) == n])
    error_message = "tasks: min must be at least 1, and max at least min and at most 500."
  }
  validation {
    condition     = var.store == "volume" || var.tasks.min >= 2
    error_message = "tasks: run at least 2, so that one is in another zone. Only store = \"volume\" has one."
  }
  validation {
    condition     = var.store != "volume" || (var.tasks.min == 1 && var.tasks.max == 1)
    error_message = "tasks: with store = \"volume\" there must be exactly one task, { min = 1, max = 1 }. The store is a SQLite file; two tasks on one file would lose changes."
  }
}

variable "store" {
  description = "Where the gateway keeps its journal, keys and directory. `none`: its configuration names no `store`. `volume`: one task keeps them in a file on EFS. `database`: all tasks share one PostgreSQL."
  type        = string
  default     = "none"
  validation {
    condition     = contains(["none", "volume", "database"], var.store)
    error_message = "store: choose none, volume or database."
  }
}

variable "database" {
  description = "With `store = \"database\"`: the outputs `address`, `port` and `database` of the module `store`, the gateway's own user, and the file in the image with the authorities that signed the server's certificate. The password is in `secrets`, as `PGPASSWORD`."
  type        = object({ address = string, port = optional(number, 5432), database = optional(string, "shardgate"), user = optional(string, "gateway"), ca_file = optional(string, "/etc/shardgate/rds.pem") })
  default     = null
  validation {
    condition     = (var.database != null) == (var.store == "database")
    error_message = "database: say where the database is if store = \"database\", and only then."
  }
  validation {
    condition     = var.database == null ? true : can(regex("^[A-Za-z0-9.-]+$", var.database.address))
    error_message = "database: address is the name of one host, without protocol, port and path."
  }
  validation {
    condition     = var.database == null ? true : can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database.database)) && can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database.user))
    error_message = "database: database and user are names of PostgreSQL: lower-case letters, digits and underscores, no digit first."
  }
  validation {
    condition     = var.database == null ? true : can(regex("^/[A-Za-z0-9._/-]+$", var.database.ca_file))
    error_message = "database: ca_file is a path within the image, as in \"/etc/shardgate/rds.pem\"."
  }
}

variable "deployment" {
  description = "`rolling`: tasks are replaced one after the other. `blue_green`: all new tasks start beside the old ones, and take over together. A deployment that fails is taken back by itself."
  type        = string
  default     = "blue_green"
  validation {
    condition     = contains(["rolling", "blue_green"], var.deployment)
    error_message = "deployment: choose rolling or blue_green."
  }
  validation {
    condition     = var.store != "volume" || var.deployment == "rolling"
    error_message = "deployment: with store = \"volume\" choose rolling. Blue/green runs two versions side by side, and two tasks on one SQLite file would lose changes."
  }
}

variable "test_port" {
  description = "Blue/green: the port of the load balancer at which the new tasks answer before clients are sent to them. The module `network` says who reaches it."
  type        = number
  default     = 8443
  validation {
    condition     = var.test_port >= 1 && var.test_port <= 65535 && var.test_port != 443
    error_message = "test_port: choose 1 to 65535, and not 443, where clients come."
  }
}

variable "hooks" {
  description = "Blue/green: functions of Lambda that ECS asks at stages of a deployment, and the role by which it may; each answers whether to go on. At `POST_TEST_TRAFFIC_SHIFT` the new tasks answer at the `test_port`, and no client is there."
  type        = list(object({ function_arn = string, role_arn = string, stages = list(string) }))
  default     = []
  validation {
    condition     = length(var.hooks) == 0 || var.deployment == "blue_green"
    error_message = "hooks: only blue_green has stages. Choose deployment = \"blue_green\", or name no hook."
  }
  validation {
    condition     = alltrue([for hook in var.hooks : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:", hook.function_arn)) && can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", hook.role_arn))])
    error_message = "hooks: function_arn is the ARN of a function of Lambda, role_arn that of a role."
  }
  validation {
    condition = alltrue([for hook in var.hooks : length(hook.stages) > 0 && length(setsubtract(hook.stages, [
      "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
    ])) == 0])
    error_message = "hooks: stages are RECONCILE_SERVICE, PRE_SCALE_UP, POST_SCALE_UP, TEST_TRAFFIC_SHIFT, POST_TEST_TRAFFIC_SHIFT, PRODUCTION_TRAFFIC_SHIFT and POST_PRODUCTION_TRAFFIC_SHIFT; name at least one."
  }
}

variable "bake_time_minutes" {
  description = "Blue/green: how long the old tasks stay after the new ones took over. Until then going back takes seconds."
  type        = number
  default     = 10
  validation {
    condition     = var.bake_time_minutes >= 0 && var.bake_time_minutes <= 1440
    error_message = "bake_time_minutes: ECS accepts 0 to 1440."
  }
}

variable "rollback_alarm_names" {
  description = "Alarms that take a deployment back: the output `rollback_alarm_names` of the module `observability`."
  type        = list(string)
  default     = []
}

variable "drain" {
  description = "How the gateway ends, in seconds. `delay_s`: it still takes requests after SIGTERM. `timeout_s`: it then finishes what is under way."
  type        = object({ delay_s = number, timeout_s = number })
  default     = { delay_s = 5, timeout_s = 30 }
  validation {
    condition     = var.drain.delay_s >= 0 && var.drain.timeout_s >= 1
    error_message = "drain: delay_s must be at least 0, timeout_s at least 1."
  }
  validation {
    condition     = var.drain.delay_s + var.drain.timeout_s + 5 <= 120
    error_message = "drain: delay_s + timeout_s must be at most 115. Fargate kills a task 120 s after SIGTERM, and the gateway needs 5 s for its last lines."
  }
}

variable "stop_timeout_s" {
  description = "After SIGTERM: when ECS kills the task. At least `drain.delay_s` + `drain.timeout_s` + 5, at most 120."
  type        = number
  default     = 45
  validation {
    condition     = var.stop_timeout_s >= var.drain.delay_s + var.drain.timeout_s + 5
    error_message = "stop_timeout_s: it must be at least drain.delay_s + drain.timeout_s + 5. ECS would kill the gateway while it answers."
  }
  validation {
    condition     = var.stop_timeout_s <= 120
    error_message = "stop_timeout_s: Fargate waits for 120 s at most."
  }
}

variable "deregistration_delay_s" {
  description = "How long the load balancer lets the requests of a leaving task go on before ECS sends SIGTERM. At least `drain.timeout_s`."
  type        = number
  default     = 30
  validation {
    condition     = var.deregistration_delay_s >= var.drain.timeout_s
    error_message = "deregistration_delay_s: it must be at least drain.timeout_s. The load balancer would cut off requests that the gateway would still answer."
  }
  validation {
    condition     = var.deregistration_delay_s <= 3600
    error_message = "deregistration_delay_s: the load balancer accepts 3600 at most."
  }
}

variable "idle_timeout_s" {
  description = "After how many silent seconds the load balancer closes a connection."
  type        = number
  default     = 60
  validation {
    condition     = var.idle_timeout_s >= 1 && var.idle_timeout_s < 75
    error_message = "idle_timeout_s: choose 1 to 74. The gateway closes idle connections after 75 s (client_idle_timeout_s); were it first, clients would get a 502 now and then."
  }
}

variable "target_cpu_percent" {
  description = "The CPU use that the number of tasks keeps."
  type        = number
  default     = 60
  validation {
    condition     = var.target_cpu_percent >= 20 && var.target_cpu_percent <= 90
    error_message = "target_cpu_percent: choose 20 to 90. Above, a task has no room for a burst; below, most of what is paid is idle."
  }
}

variable "target_p90_s" {
  description = "The p90 of the time to a reply, in seconds, above which tasks are added."
  type        = number
  default     = 1
  validation {
    condition     = var.target_p90_s > 0 && var.target_p90_s <= 30
    error_message = "target_p90_s: choose more than 0 and at most 30 seconds."
  }
}

variable "shards" {
  description = "Shard → where it is. With `port` it gets a name in service discovery, which the shard's own ECS service registers at; with `url` it is elsewhere."
  type        = map(object({ port = optional(number), url = optional(string) }))
  validation {
    condition     = length(var.shards) > 0
    error_message = "shards: name at least one."
  }
  validation {
    condition     = alltrue([for name, shard in var.shards : can(regex(shard.port == null ? "^[A-Za-z0-9_.-]+$" : "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "shards: with a port, a name becomes a host's name: 1 to 63 lower-case letters, digits and hyphens, a letter first and no hyphen last. With a url: letters, digits, underscores, dots and hyphens."
  }
  validation {
    condition     = alltrue([for shard in values(var.shards) : (shard.port == null) != (shard.url == null)])
    error_message = "shards: give each either port or url, not both."
  }
  validation {
    condition     = alltrue([for shard in values(var.shards) : shard.port == null ? true : shard.port >= 1 && shard.port <= 65535])
    error_message = "shards: a port is 1 to 65535."
  }
  validation {
    condition     = alltrue([for shard in values(var.shards) : shard.url == null ? true : can(regex("^https?://[^/?#,\\s]+(/[^?#,\\s]*)?( https?://[^/?#,\\s]+(/[^?#,\\s]*)?)*$", shard.url))])
    error_message = "shards: a url is http://host:port or https://host:port, with a path or without. Several, with a space between them, are replicas."
  }
}

variable "environment" {
  description = "Further environment variables of the gateway, as in `{ SHARDGATE_LOG_FORMAT = \"json\" }`."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "environment: a name is capital letters, digits and underscores."
  }
  validation {
    condition     = alltrue([for name in keys(var.environment) : !can(regex("(SECRET|PASSWORD|TOKEN|_KEY)$", name))])
    error_message = "environment: this looks like a secret, and everybody who may see the task definition would read it. Put it into `secrets`."
  }
}

variable "secrets" {
  description = "Environment variable → ARN of the secret that ECS puts into it, as in `{ SHARDGATE_JWT_KEY = module.secrets.arns[\"jwt-key\"] }`."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secrets: write ARNs of Secrets Manager."
  }
  validation {
    condition     = length(setintersection(keys(var.secrets), keys(var.environment))) == 0
    error_message = "secrets: a variable is in `environment`, too."
  }
  validation {
    condition     = var.store != "database" || contains(keys(var.secrets), "PGPASSWORD")
    error_message = "secrets: with store = \"database\" give PGPASSWORD, the password of the gateway's user in the database."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer. To delete it, apply `false` first."
  type        = bool
  default     = true
}

variable "gateway_port" {
  description = "Where tasks take requests, as in the module `network`."
  type        = number
  default     = 8080
  validation {
    condition     = var.gateway_port >= 1024 && var.gateway_port <= 65535
    error_message = "gateway_port: choose 1024 to 65535. The gateway is not root, and may not listen below."
  }
}

variable "admin_port" {
  description = "Where tasks answer health checks, as in the module `network`."
  type        = number
  default     = 9901
  validation {
    condition     = var.admin_port != var.gateway_port
    error_message = "admin_port: it must not be the gateway_port. Clients would reach the metrics."
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
