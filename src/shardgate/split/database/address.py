"""The address of a database: its URL, parsed and checked."""

from enum import Enum
from pathlib import Path
from typing import cast

from msgspec import Struct
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shardgate.core.hosts import without_password
from shardgate.split.errors import SplitRefusedError


class SqlDialect(Enum):
    """The kinds of database that a split can read and write."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"  # MariaDB too


class DatabaseAddress(Struct, frozen=True):
    """The parsed URL of a database. As text, it hides the password."""

    dialect: SqlDialect
    url: URL

    @property
    def path(self) -> Path:
        """The absolute path of the file. Only SQLite has one."""
        return Path(cast(str, self.url.database)).absolute()

    def __str__(self) -> str:
        return _shown(self.url)


def parse_address(text: str, option: str) -> DatabaseAddress:
    """Parse the URL given with an option. Any driver that it names is ignored: the split uses its own.

    Raises SplitRefusedError for text that is no URL, another kind of database, or SQLite without a file.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError) as error:  # of a port that is no number
        # What is no URL may be a list of libpq's words, with a password.
        shown = f" {without_password(text)}" if "://" in text or not {*"=@"} & {*text} else ""
        reason = f"{option}{shown}: this is not a database URL. Write sqlite:///FILE,"
        reason += " postgresql://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE"
        raise SplitRefusedError([reason]) from error
    if "@" in (url.host or "") or (url.password and "@" in (url.database or "")):
        raise SplitRefusedError([f"{option} {without_password(text)}: write @ in a password as %40"])
    backend = url.get_backend_name()
    if backend == "postgresql":
        return DatabaseAddress(SqlDialect.POSTGRESQL, url.set(drivername="postgresql+psycopg"))
    if backend in ("mysql", "mariadb"):
        if not url.database:
            raise SplitRefusedError([f"{option} {_shown(url)}: name the database"])
        return DatabaseAddress(SqlDialect.MYSQL, url.set(drivername="mysql+pymysql"))
    if backend != "sqlite":
        shown = _shown(url)
        reason = f"{option} {shown}: {backend} is not supported. Use a database of SQLite, PostgreSQL, MySQL or MariaDB"
        raise SplitRefusedError([reason])
    if not url.database or url.database == ":memory:" or url.query:
        raise SplitRefusedError([f"{option} {text}: give the path of a file and nothing else, as in sqlite:///shop.db"])
    return DatabaseAddress(SqlDialect.SQLITE, url.set(drivername="sqlite"))


def _shown(url: URL) -> str:
    """Without a password, wherever it stands. The path of a file has none."""
    if url.get_backend_name() == "sqlite":
        return url.render_as_string(hide_password=True)
    return without_password(url.render_as_string(hide_password=False)).replace("…", "***")
