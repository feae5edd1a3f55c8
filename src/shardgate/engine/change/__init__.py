"""Carries out changes that are journaled, divided or recognised by a key; each has a whole reply."""
