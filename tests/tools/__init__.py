"""What the project's own tools hold."""
