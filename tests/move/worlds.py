"""Shards of both kinds of databases with a directory and a configuration, as `shardgate move` finds them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from proof.postgres_server import PostgresServer
from shardgate.cli.main import app
from shardgate.store.movements import Movements
from shardgate.store.sqlite import SqliteStore

SCHEMA = """
CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE shops (id TEXT PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE goods (id TEXT PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops(id),
  kind INTEGER REFERENCES kinds(id), note TEXT);
CREATE TABLE sales (id TEXT PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops(id));
CREATE TABLE lines (sale TEXT NOT NULL REFERENCES sales(id), no INTEGER, good TEXT NOT NULL REFERENCES goods(id),
  PRIMARY KEY (sale, no));
CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO django_migrations VALUES (1, '0001');
INSERT INTO kinds VALUES (1, 'a');
"""
TABLES = ("kinds", "shops", "goods", "sales", "lines", "django_migrations")
HOMES = {"north": ("a", "b"), "south": ("c",), "west": ()}

_numbers = count()


class World:
    """The databases of some shards, and the file shardgate.yaml."""

    def __init__(self, folder: Path, server: PostgresServer | None, homes: dict[str, tuple[str, ...]]) -> None:
        self.folder = folder
        self.server = server
        self.names = {shard: f"world_{next(_numbers)}" for shard in homes}
        self.store = folder / "directory.db"
        self.config = folder / "shardgate.yaml"
        self.movements: dict[str, Any] = {
            "tenant": "shops",
            "reference": ["kinds"],
            "empty": ["django_migrations"],
            "databases": {shard: self.url(shard) for shard in homes},
        }
        self.shards = {shard: f"http://127.0.0.1:{number + 1}" for number, shard in enumerate(homes)}
        self.rules: dict[str, Any] = {"GET /shops/{id}": {"rule": "one", "key": "path.id", "locate": "shop"}}
        self.write()

    def url(self, shard: str) -> str:
        return f"sqlite:///{self.folder}/{shard}.db" if self.server is None else self.server.url(self.names[shard])

    def write(self, **more: Any) -> None:
        """Write the configuration."""
        content = {
            "listen": "127.0.0.1:0",
            "directory": str(self.store),
            "shards": self.shards,
            "locators": {"shop": [{"kind": "directory", "space": "shops"}]},
            "movements": self.movements,
            "rules": self.rules,
            **more,
        }
        self.config.write_text(yaml.safe_dump(content, sort_keys=False))

    def ask(self, shard: str, script: str) -> list[tuple[Any, ...]]:
        """Run statements; returns the rows of the last one."""
        if self.server is not None:
            return self.server.ask(script, self.names[shard])
        with closing(sqlite3.connect(self.folder / f"{shard}.db")) as database:
            found: list[tuple[Any, ...]] = []
            for statement in filter(str.strip, script.split(";")):
                found = database.execute(statement).fetchall()
            database.commit()
            return found

    def ask_whole(self, shard: str, statement: str) -> None:
        """Run one statement, which may have others in it, in a file of SQLite."""
        with closing(sqlite3.connect(self.folder / f"{shard}.db")) as database:
            database.execute(statement)
            database.commit()

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all shards, what stands in their catalogues, the directory, and the movements."""
        catalogue = (
            "SELECT name, sql FROM sqlite_master ORDER BY 1"
            if self.server is None
            else "SELECT relname::text, '' FROM pg_class UNION SELECT tgname::text, '' FROM pg_trigger ORDER BY 1"
        )
        found = {
            f"{shard}.{table}": sorted(self.ask(shard, f"SELECT * FROM {table}"), key=str)
            for shard in self.names
            for table in TABLES
        }
        found |= {f"{shard}.": self.ask(shard, catalogue) for shard in self.names}
        with SqliteStore(self.store) as store:
            found["directory"] = sorted(store.read("shops").items())
            found["movements"] = [(each.id, each.phase) for each in Movements(store).last(10)]
        return found

    def home(self, tenant: str) -> str:
        with SqliteStore(self.store) as store:
            return store.read("shops")[tenant]

    def run(self, *words: str) -> tuple[int, str]:
        """A command as its user types it."""
        result = CliRunner().invoke(app, [*words, "-c", str(self.config)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output


@contextmanager
def running_world(
    folder: Path,
    server: PostgresServer | None,
    homes: dict[str, tuple[str, ...]] | None = None,
    schema: str = SCHEMA,
    goods: int = 3,
) -> Iterator[World]:
    """Make the databases; those of a server are gone afterwards."""
    homes = HOMES if homes is None else homes
    world = World(folder, server, homes)
    try:
        for shard, tenants in homes.items():
            if server is not None:
                server.create(world.names[shard])
            world.ask(shard, schema + "".join(shop(each, goods) for each in tenants))
        with SqliteStore(world.store) as store:
            store.put_many("shops", [(each, shard) for shard, tenants in homes.items() for each in tenants])
        yield world
    finally:
        for name in world.names.values() if server is not None else ():
            server.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def shop(name: str, goods: int = 3) -> str:
    """A tenant with 2 rows, and 2 for each of its goods."""
    rows = f"INSERT INTO shops VALUES ('{name}', 'shop {name}'); INSERT INTO sales VALUES ('{name}-s', '{name}');"
    for n in range(goods):
        rows += f"INSERT INTO goods VALUES ('{name}-{n}', '{name}', 1, 'note {n}');"
        rows += f"INSERT INTO lines VALUES ('{name}-s', {n}, '{name}-{n}');"
    return rows


def all_of(world: World, table: str, shards: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a table on some shards."""
    return sorted(row for shard in shards for row in world.ask(shard, f"SELECT * FROM {table}"))
