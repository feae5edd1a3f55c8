"""Connections that clients open: requests in, replies out."""
