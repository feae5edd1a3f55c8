variable "name" {
  description = "What the resources are called, as in `shardgate-staging`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "repository" {
  description = "The repository on GitHub whose workflows may deploy, as in `example/platform`."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", var.repository))
    error_message = "repository: write OWNER/NAME, as in \"example/platform\", without wildcards: with one, repositories of others could deploy."
  }
}

variable "environment" {
  description = "The environment of GitHub whose jobs may deploy: `staging` or `production`. Protect it there, with reviewers if you like."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.environment))
    error_message = "environment: write the name of an environment of GitHub in lower-case letters, digits and hyphens, without wildcards."
  }
}

variable "oidc_provider_arn" {
  description = "The identity provider of GitHub in this account: an account has one, which the root `account` makes."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn: it is not the provider of token.actions.githubusercontent.com."
  }
}

variable "state_bucket_arn" {
  description = "The bucket with Terraform's state."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:s3:::[a-z0-9.-]+$", var.state_bucket_arn))
    error_message = "state_bucket_arn: write the ARN of a bucket, as in \"arn:aws:s3:::shardgate-state\"."
  }
}

variable "state_key" {
  description = "The environment's state in that bucket, as in `staging/terraform.tfstate`."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9/_-]+\\.tfstate$", var.state_key))
    error_message = "state_key: write the key of one state, as in \"staging/terraform.tfstate\"."
  }
}

variable "registry_arn" {
  description = "The repository of images: the output `arn` of the module `registry`."
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/", var.registry_arn))
    error_message = "registry_arn: write the ARN of a repository of ECR."
  }
}

variable "push_enabled" {
  description = "Whether this environment's jobs may push images. One environment pushes, all run the same image."
  type        = bool
  default     = false
}

variable "kms_key_arns" {
  description = "Keys that the state and the images are encrypted with."
  type        = list(string)
  validation {
    condition     = length(var.kms_key_arns) > 0 && alltrue([for arn in var.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", arn))])
    error_message = "kms_key_arns: write at least one ARN of a key. An alias is no key."
  }
}

variable "session_minutes" {
  description = "How long a job may act, in minutes: a blue/green deployment with its bake time must fit."
  type        = number
  default     = 60
  validation {
    condition     = var.session_minutes >= 60 && var.session_minutes <= 720
    error_message = "session_minutes: AWS accepts 60 to 720."
  }
}
