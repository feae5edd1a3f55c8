"""What gateways must remember and agree on: for now the directory of tenants."""
