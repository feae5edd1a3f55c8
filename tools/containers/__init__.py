"""Images and containers for the proofs: built and run by podman, without an engine that must be running."""
