"""Where a database is, and how SQLAlchemy looks at its schema."""

import sqlite3
from enum import Enum
from pathlib import Path
from typing import cast

from msgspec import Struct
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from shardgate.split.errors import RefusedError
from shardgate.split.postgres_read import Connection as PostgresConnection


class Dialect(Enum):
    """The kinds of database that can be split, and split into."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Address(Struct, frozen=True):
    """A database's URL, understood."""

    dialect: Dialect
    url: URL

    @property
    def path(self) -> Path:
        return Path(cast(str, self.url.database)).absolute()

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)


def parse_address(text: str, option: str) -> Address:
    """Any URL that SQLAlchemy knows, whatever driver it names: the splitter brings its own."""
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        reason = f"{option} {text}: is no database URL. Write sqlite:///path or postgresql://…"
        raise RefusedError([reason]) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return Address(Dialect.POSTGRESQL, url.set(drivername="postgresql+psycopg"))
    if backend != "sqlite":
        shown = url.render_as_string(hide_password=True)
        reason = f"{option} {shown}: {backend} is not known here, only sqlite and postgresql"
        raise RefusedError([reason])
    if not url.database or url.database == ":memory:" or url.query:
        raise RefusedError([f"{option} {text}: give the path of a file, as in sqlite:///shop.db"])
    return Address(Dialect.SQLITE, url.set(drivername="sqlite"))


def conninfo(address: Address) -> str:
    """What psycopg must be told, as SQLAlchemy reads it out of the URL."""
    dialect = create_engine(address.url).dialect
    _, arguments = dialect.create_connect_args(address.url)
    arguments.pop("context", None)  # how SQLAlchemy would have values converted; here all is text
    return make_conninfo(**arguments)


def inspected(address: Address, raw: sqlite3.Connection | PostgresConnection) -> Connection:
    """SQLAlchemy on a connection that stays ours: it is neither reset nor closed by the pool."""
    engine = create_engine(
        f"{address.url.drivername}://",
        creator=lambda: raw,
        poolclass=StaticPool,
        pool_reset_on_return=None,
    )
    return engine.connect()
