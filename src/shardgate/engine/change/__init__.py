"""Carries out changes that are journaled, divided or told apart by a key; each has a whole reply."""
