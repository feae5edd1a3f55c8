terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # Where the state is differs: `terraform init -backend-config=../../environments/NAME.s3.tfbackend`.
  # S3 itself locks it (use_lockfile): two people never apply at the same time.
  backend "s3" {}
}
