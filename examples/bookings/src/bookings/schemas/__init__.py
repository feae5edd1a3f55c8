"""The bodies that clients send and receive, as models: they validate, and they are the document."""
