"""The faults, by what they hit; `table.py` lists them all."""
