variable "project" {
  description = "What everything is called."
  type        = string
  default     = "shardgate"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,9}[a-z0-9]$", var.project))
    error_message = "project: write 2 to 11 lower-case letters, digits and hyphens, a letter first and no hyphen last. With \"-production\" behind it, it must fit the name of a load balancer."
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

variable "repository" {
  description = "The repository on GitHub whose workflows may deploy, as in `example/platform`."
  type        = string
}

variable "environments" {
  description = "The environments in this account, in GitHub's words."
  type        = set(string)
  default     = ["staging", "production"]
  validation {
    condition     = length(var.environments) > 0 && alltrue([for each in var.environments : contains(["staging", "production"], each)])
    error_message = "environments: choose of staging and production."
  }
}

variable "oidc_provider_arn" {
  description = "The identity provider of GitHub, if this account has it already. Null: make it."
  type        = string
  default     = null
}
