"""Processes: a supervisor, and workers that are built and run."""
