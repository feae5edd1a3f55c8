"""Connects to PostgreSQL with settings that make the text of a value the same on every server."""

from typing import Final, TypeAlias

import psycopg
from psycopg import IsolationLevel
from psycopg import sql as names
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine

from shardgate.split.database.address import DatabaseAddress

PostgresConnection: TypeAlias = psycopg.Connection[tuple[object, ...]]

_SETTINGS: Final = (
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("standard_conforming_strings", "on"),  # a backslash in a literal is one
    ("row_security", "off"),  # a query that a policy would restrict fails, instead of leaving out rows
    ("synchronize_seqscans", "off"),  # every scan begins at the first row, so the shards keep the order
    ("check_function_bodies", "off"),  # functions are created before the tables that they use
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
)


def conninfo(address: DatabaseAddress) -> str:
    """The connection string for psycopg, made from the URL by SQLAlchemy's rules."""
    dialect = create_engine(address.url).dialect
    _, arguments = dialect.create_connect_args(address.url)
    arguments.pop("context", None)  # SQLAlchemy's type conversions; this package reads all values as text
    return make_conninfo(**arguments)


def connect(info: str) -> PostgresConnection:
    """Open a session. The argument is the result of `conninfo`."""
    connection: PostgresConnection = psycopg.connect(info, autocommit=True)
    for name, value in _SETTINGS:
        connection.execute(names.SQL("SET {} = {}").format(names.Identifier(name), value))
    connection.autocommit = False
    return connection


def freeze(connection: PostgresConnection) -> None:
    """Make the next statement take one snapshot, which all later ones read too, and forbid writing."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
