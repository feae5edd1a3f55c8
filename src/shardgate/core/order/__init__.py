"""How rows compare: collations, sort keys, and the ranking of rows by them."""
