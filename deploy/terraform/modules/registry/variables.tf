variable "name" {
  description = "The repository's name, as in `shardgate`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9]*([._/-][a-z0-9]+)*$", var.name)) && length(var.name) <= 256
    error_message = "name: write lower-case letters and digits, with single hyphens, dots, underscores or slashes between them, as in \"shardgate\"."
  }
}

variable "kept_images" {
  description = "How many images with a tag are kept. A version can be rolled back to as long as its image is there."
  type        = number
  default     = 50
  validation {
    condition     = var.kept_images >= 2 && var.kept_images <= 1000 && floor(var.kept_images) == var.kept_images
    error_message = "kept_images: keep 2 to 1000: with one there is nothing to roll back to."
  }
}

variable "untagged_days" {
  description = "After how many days an image without a tag is deleted."
  type        = number
  default     = 7
  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days: write a whole number of days, at least 1."
  }
}

variable "pulling_accounts" {
  description = "Other accounts whose tasks may pull the images, by their numbers: production in an account of its own."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for account in var.pulling_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "pulling_accounts: an account is 12 digits, as in \"123456789012\"."
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
