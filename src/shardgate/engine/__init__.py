"""Joins decisions and bytes: handler.py is the life of one request."""
