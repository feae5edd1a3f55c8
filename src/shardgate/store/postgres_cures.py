"""Why a store in PostgreSQL cannot be used, and what to do: said to whoever starts a gateway.

Never: says what is in a row, or a password.
"""

from typing import Final

import psycopg

from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import StoreError
from shardgate.store.postgres_connection import SCHEMA, Session, connect, said

_OWNER: Final = (
    "Give all gateways one user that owns the schema, or let its owner run:"
    f" GRANT USAGE ON SCHEMA {SCHEMA} TO the_user;"
    f" GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO the_user"
)
_CURES: Final = (
    (("read-only", "read only"), "Name a server and a database that take writes"),
    (("encryption", "SSL", "certificate", "TLS"), "See `sslmode` and `sslrootcert` in docs/howto/several-gateways.md"),
    (("permission denied",), _OWNER),
)
_CURE: Final = "Does the server run, and may this user connect?"
_RIGHTS: Final = """SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND NOT (
    has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
    AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) ORDER BY relname LIMIT 1"""


def explained(place: PostgresUrl, error: psycopg.Error) -> StoreError:
    """The error as a person reads it."""
    text = said(error)
    cure = next((cure for words, cure in _CURES if any(word in text for word in words)), _CURE)
    return StoreError(f"{place}: {text}. {cure}")


def require_rights(connection: Session, place: PostgresUrl) -> None:
    """Raises StoreError where this user may not write a table. Raises psycopg.Error."""
    if (found := connection.execute(_RIGHTS, (SCHEMA,)).fetchone()) is not None:
        raise StoreError(f"{place}: this user may not write the table {SCHEMA}.{found[0]}. {_OWNER}")


def require_sessions(connection: Session, place: PostgresUrl) -> None:
    """Raises StoreError where a pooler gives each transaction another session. Raises psycopg.Error, StoreError."""
    if connection.info.backend_pid == _session(connection):
        return  # the server itself
    with connect(place) as other:
        # Each has a session while both are in a transaction. Whichever is then given out first, one has another.
        with connection.transaction():
            ours = _session(connection)
            with other.transaction():
                theirs = _session(other)
        if _session(connection) != ours or _session(other) != theirs:
            cure = "Give the address of the server itself, or of a pooler in session mode"
            raise StoreError(
                f"{place}: a pooler is between that gives each transaction another session, and leases are locks of a"
                f" session. {cure}"
            )


def _session(connection: Session) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
