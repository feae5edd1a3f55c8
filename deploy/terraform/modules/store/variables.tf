variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "subnet_ids" {
  description = "The private subnets, in two zones or more: the output `private_subnet_ids` of the module `network`."
  type        = list(string)
  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids: RDS needs subnets in two zones or more."
  }
}

variable "security_group_id" {
  description = "The security group of the database: `security_group_ids[\"store\"]` of the module `network`."
  type        = string
  validation {
    condition     = startswith(var.security_group_id, "sg-")
    error_message = "security_group_id: write the id of a security group, as in \"sg-0123456789abcdef0\"."
  }
}

variable "instance_class" {
  description = "The size of the database's machine."
  type        = string
  default     = "db.t4g.medium"
  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class: write a class of RDS, as in \"db.t4g.medium\"."
  }
}

variable "engine_version" {
  description = "The major version of PostgreSQL. Minor versions are installed in the maintenance window."
  type        = string
  default     = "17"
  validation {
    condition     = can(regex("^1[4-8]$", var.engine_version))
    error_message = "engine_version: write a major version of PostgreSQL, 14 to 18, without a dot."
  }
}

variable "storage_gib" {
  description = "Space to begin with, in GiB. It grows by itself to `storage_max_gib`."
  type        = number
  default     = 20
  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 65536
    error_message = "storage_gib: RDS offers 20 to 65536 GiB of gp3."
  }
}

variable "storage_max_gib" {
  description = "Where growing ends, in GiB."
  type        = number
  default     = 200
  validation {
    condition     = var.storage_max_gib >= var.storage_gib * 1.1 && var.storage_max_gib <= 65536
    error_message = "storage_max_gib: it must be at least a tenth more than storage_gib (RDS refuses less), and at most 65536."
  }
}

variable "multi_az" {
  description = "Keep a second database in another zone, which takes over by itself within one or two minutes."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "For how many days the database can be brought back to any second."
  type        = number
  default     = 14
  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days: RDS keeps backups for 1 to 35 days. Without any, a deleted row is lost."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the database. To delete it, apply `false` first; a last snapshot is made all the same."
  type        = bool
  default     = true
}


variable "kms_key_arn" {
  description = "The key that encrypts what this module keeps: the output `arn` of the module `key`."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: write the ARN of a key, as in \"arn:aws:kms:eu-west-1:123456789012:key/...\". An alias is no key."
  }
}
