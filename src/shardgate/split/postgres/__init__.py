"""PostgreSQL as a source and as a target, and the schema from one PostgreSQL database to another."""
