"""What is published: wheels with the hot modules compiled, and an sdist that needs no compiler."""
