"""What happens to orders: placing, paying, cancelling, and what was sold."""
