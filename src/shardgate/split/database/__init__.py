"""What SQLite and PostgreSQL have in common here: addresses, schemas, rows, statements, and what a target must do."""
