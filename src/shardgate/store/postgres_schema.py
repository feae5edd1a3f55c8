"""The tables of the store in PostgreSQL: made by the same steps as in SQLite (schema.py), by one process at a time.

Never: touches anything outside of its schema.
"""

from typing import Final

import psycopg

from shardgate.core.hosts import PostgresUrl
from shardgate.store import schema
from shardgate.store.database import StoreError
from shardgate.store.postgres_connection import CHANNEL, LOCK, SCHEMA, Session
from shardgate.store.postgres_sql import definition

_COMMITS: Final = """CREATE TABLE IF NOT EXISTS commits (
    session TEXT PRIMARY KEY, number BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now())"""
"""The last transaction that each connection committed: says whether one is there that was not answered."""
_TELL: Final = (
    f"""CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL; END $$""",
    "DROP TRIGGER IF EXISTS told ON meta",
    "CREATE TRIGGER told AFTER UPDATE ON meta EXECUTE FUNCTION tell()",
)
"""Tells all who listen that the epoch has risen, when the transaction is committed."""
_FORGET: Final = "DELETE FROM commits WHERE at < now() - interval '7 days'"


def is_current(connection: Session, place: PostgresUrl) -> bool:
    """Whether the tables are there as this version knows them. Raises StoreError where they are of a newer one."""
    version = _version(connection)
    if version is not None and version > len(schema.MIGRATIONS):
        raise StoreError(
            f"{place}: made by a newer shardgate (schema {version}, this one knows {len(schema.MIGRATIONS)})."
            " Upgrade shardgate, or give another database"
        )
    return version == len(schema.MIGRATIONS)


def migrate(connection: Session, place: PostgresUrl) -> None:
    """Make the tables, or bring them up to date. Raises psycopg.Error, StoreError."""
    with connection.transaction():  # of two processes that create a store at once, one waits
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        if is_current(connection, place):
            return
        version = _version(connection)
        if version is None:
            _make_schema(connection, place)
        for statement in (line for step in schema.MIGRATIONS[version or 0 :] for line in step):
            connection.execute(definition(statement))
        for statement in (_COMMITS, _FORGET, *_TELL):
            connection.execute(statement)
        connection.execute("UPDATE meta SET value = %s WHERE name = 'schema'", (len(schema.MIGRATIONS),))


def may_make(connection: Session) -> bool:
    """Whether there are tables, or this user may make them."""
    found = connection.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
    return _version(connection) is not None or _has_schema(connection) or bool(found and found[0])


def _version(connection: Session) -> int | None:
    """None: there are no tables."""
    # Asked of the catalogue: what `to_regclass` says is of before another process has made the table.
    query = (
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 'meta' AND nspname = %s"
    )
    if connection.execute(query, (SCHEMA,)).fetchone() is None:
        return None
    row = connection.execute("SELECT value FROM shardgate.meta WHERE name = 'schema'").fetchone()
    return int(row[0]) if row else None


def _has_schema(connection: Session) -> bool:
    return connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone() is not None


def _make_schema(connection: Session, place: PostgresUrl) -> None:
    """A schema of this name that is empty is taken: an operator has made it for a user who may make none."""
    if not _has_schema(connection):
        try:
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
        except psycopg.errors.InsufficientPrivilege as error:
            cure = f"Let its owner run: CREATE SCHEMA {SCHEMA} AUTHORIZATION the_user"
            raise StoreError(f"{place}: this user may not make the schema {SCHEMA}. {cure}") from error
        return
    query = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace LIMIT 1"
    if (found := connection.execute(query, (SCHEMA,)).fetchone()) is not None:
        raise StoreError(
            f"{place}: the schema {SCHEMA} is not a store of shardgate: it has {found[0]!r}. Give another database"
        )
