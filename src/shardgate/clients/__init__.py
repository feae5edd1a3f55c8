"""Identifies clients: verifies access tokens and counts calls before a request is planned."""
