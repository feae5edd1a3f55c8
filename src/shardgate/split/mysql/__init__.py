"""MySQL and MariaDB as a source and as a target, and the schema from one such database to another."""
