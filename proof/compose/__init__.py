"""`make compose-test`: deploy/compose.yaml is started by podman, service by service, and asked."""
