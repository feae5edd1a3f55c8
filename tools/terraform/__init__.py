"""Tries deploy/terraform without a cloud: a stand-in for the AWS provider, Terraform's own tests, and checkov."""
