"""What operators see: metrics of all workers, an access log, an admin listener, the story of one request."""
