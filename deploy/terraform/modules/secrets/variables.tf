variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "secrets" {
  description = "Name → what the secret is. Terraform makes the secrets and never their values: a person or the application writes those."
  type        = map(string)
  default     = { cursors = "What the cursors of lists are signed with: one secret of 32 characters or more a line" }
  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[a-z][a-z0-9-]{0,62}$", name))])
    error_message = "secrets: a name is 1 to 63 lower-case letters, digits and hyphens, a letter first, as in \"cursors\"."
  }
  validation {
    condition     = alltrue([for meaning in values(var.secrets) : length(trimspace(meaning)) > 0])
    error_message = "secrets: say of each what it is. Somebody will have to renew it."
  }
}

variable "recovery_window_in_days" {
  description = "How long a deleted secret can be brought back, in days."
  type        = number
  default     = 30
  validation {
    condition     = var.recovery_window_in_days >= 7 && var.recovery_window_in_days <= 30 && floor(var.recovery_window_in_days) == var.recovery_window_in_days
    error_message = "recovery_window_in_days: AWS accepts 7 to 30 whole days. With 0 a secret would be gone at once, and is refused here."
  }
}

variable "rotation" {
  description = "Name of a secret → the Lambda function that renews it, and how often. A secret that is not here is renewed by hand."
  type        = map(object({ lambda_arn = string, days = optional(number, 30) }))
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.rotation) : contains(keys(var.secrets), name)])
    error_message = "rotation: names a secret that is not in `secrets`."
  }
  validation {
    condition     = alltrue([for each in values(var.rotation) : startswith(each.lambda_arn, "arn:") && strcontains(each.lambda_arn, ":function:")])
    error_message = "rotation: lambda_arn is no ARN of a Lambda function."
  }
  validation {
    condition     = alltrue([for each in values(var.rotation) : each.days >= 1 && each.days <= 90])
    error_message = "rotation: days must be 1 to 90."
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
