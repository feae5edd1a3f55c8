"""From SQLite to PostgreSQL and back: column types, defaults, conditions, counters and values."""
