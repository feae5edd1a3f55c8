"""YAML to what the house needs, with the place of every mistake."""
