variable "name" {
  description = "What the key is for, as in `shardgate-staging`. The key's alias is `alias/NAME`."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.name))
    error_message = "name: write 2 to 22 lower-case letters, digits and hyphens, a letter first and no hyphen last, as in \"shardgate-staging\"."
  }
}

variable "deletion_window_in_days" {
  description = "How long a deleted key can be brought back, in days. What it encrypted is lost after that."
  type        = number
  default     = 30
  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30 && floor(var.deletion_window_in_days) == var.deletion_window_in_days
    error_message = "deletion_window_in_days: AWS accepts 7 to 30 whole days."
  }
}
