"""The tables of the store, as steps that a store of an earlier version is brought up to date by.

They are written for SQLite, and translated for PostgreSQL by `postgres_sql.py`: TEXT, INTEGER, REAL and BLOB are the
types; `INTEGER PRIMARY KEY AUTOINCREMENT` gives numbers that are never given twice.

Holds: a step is never changed once it was released; both databases have the same steps.
"""

from typing import Final

from shardgate.store import directory_table

# Applied in order, once each; a store's schema version is how many of them it has seen.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta (name, value) VALUES ('schema', 0), ('epoch', 0)",
        """CREATE TABLE directory (
             space TEXT NOT NULL, key TEXT NOT NULL, shard TEXT NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE journal (
             id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
             stuck_in TEXT NOT NULL DEFAULT 'trying', owner TEXT, created_at REAL NOT NULL, content BLOB NOT NULL)""",
        "CREATE INDEX journal_open ON journal (id) WHERE state IN ('trying', 'finishing', 'undoing')",
        "CREATE INDEX journal_undecided ON journal (id) WHERE state IN ('trying', 'undoing') AND kind = 'every'",
        "CREATE INDEX journal_by_age ON journal (created_at)",
        """CREATE TABLE journal_branches (
             entry INTEGER NOT NULL, number INTEGER NOT NULL, shard TEXT NOT NULL, state TEXT NOT NULL,
             content BLOB NOT NULL, progress BLOB NOT NULL,
             PRIMARY KEY (entry, number)) WITHOUT ROWID""",
        """CREATE INDEX journal_branches_waiting ON journal_branches (shard, entry)
             WHERE state NOT IN ('done', 'confirmed', 'refused', 'undone')""",
        """CREATE TABLE idempotency (
             client TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, owner TEXT, reply BLOB,
             expires_at REAL NOT NULL,
             PRIMARY KEY (client, key)) WITHOUT ROWID""",
        "CREATE INDEX idempotency_by_end ON idempotency (expires_at)",
        """CREATE TABLE placements (
             space TEXT NOT NULL, key TEXT NOT NULL, shard TEXT NOT NULL, creates INTEGER NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
        """CREATE TABLE leases (
             name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE usage (
             period TEXT NOT NULL, client TEXT NOT NULL, calls INTEGER NOT NULL, counted_at REAL NOT NULL,
             PRIMARY KEY (period, client)) WITHOUT ROWID""",
        "CREATE INDEX usage_by_age ON usage (counted_at)",
    ),
    (
        """CREATE TABLE parts (
             space TEXT NOT NULL, key TEXT NOT NULL, shards TEXT NOT NULL, taken_back INTEGER NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE journal ADD COLUMN thing TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE placements ADD COLUMN made INTEGER NOT NULL DEFAULT 0",
    ),
    (
        "ALTER TABLE journal ADD COLUMN fence INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE journal ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN began_at REAL NOT NULL DEFAULT 0",
        "DROP TABLE leases",
    ),
    directory_table.MIGRATION,
    (
        "INSERT INTO meta (name, value) VALUES ('turn', 0)",
        """CREATE TABLE movements (
             id INTEGER PRIMARY KEY AUTOINCREMENT, space TEXT NOT NULL, tenants TEXT NOT NULL, source TEXT NOT NULL,
             target TEXT NOT NULL, phase TEXT NOT NULL, wish TEXT NOT NULL, fence TEXT NOT NULL, turn INTEGER NOT NULL,
             owner TEXT NOT NULL, keys BLOB NOT NULL, told TEXT NOT NULL, began_at REAL NOT NULL,
             ended_at REAL NOT NULL DEFAULT 0)""",
        "CREATE INDEX movements_open ON movements (id) WHERE ended_at = 0",
        """CREATE TABLE workers (
             worker TEXT PRIMARY KEY, epoch INTEGER NOT NULL, turn INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE draining (shard TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
)
