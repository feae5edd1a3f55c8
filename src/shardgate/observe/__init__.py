"""What operators see: metrics summed over all workers, an access log, an admin listener, the story of one request."""
