"""Attacks, a file for each kind; `table` has all of them."""
