"""Whole runs on random trees of tables with random rows: every row is on the shard of its tenant."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from rich.console import Console

from shardgate.split.request import SplitRequest
from shardgate.split.run import run_split
from shardgate.store.sqlite import SqliteStore


class Made(Struct, frozen=True):
    """A table with a foreign key to another one."""

    name: str
    parent: str
    composite: bool
    parents: tuple[int, ...]  # of row 0, 1, 2, …: a position in the parent's rows


class Shop(Struct, frozen=True):
    """A tree of tables whose root is the table of the tenants."""

    tenants: int
    tables: tuple[Made, ...]


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    tenants = draw(st.integers(1, 8))
    sizes = {"t": tenants}
    tables = []
    for number in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(sorted(sizes)))
        row = st.integers(0, max(0, sizes[parent] - 1))
        parents = draw(st.lists(row, max_size=30)) if sizes[parent] else []
        made = Made(f"t{number}", parent, draw(st.booleans()), tuple(parents))
        tables.append(made)
        sizes[made.name] = len(parents)
    return Shop(tenants, tuple(tables))


def build(path: Path, shop: Shop) -> None:
    """In every table (a, b) is unique, so that a child can refer to one column or to both."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, UNIQUE (a, b))")
        rows: dict[str, list[tuple[int, str]]] = {"t": [(n, f"b{n}") for n in range(shop.tenants)]}
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows["t"])
        for made in shop.tables:
            key = "(p, q) REFERENCES {} (a, b)" if made.composite else "(p) REFERENCES {} (a)"
            connection.execute(
                f"CREATE TABLE {made.name} (a INTEGER PRIMARY KEY, b TEXT, p INTEGER NOT NULL,"
                f" q TEXT NOT NULL, UNIQUE (a, b), FOREIGN KEY {key.format(made.parent)})"
            )
            rows[made.name] = [(n, f"b{n}") for n in range(len(made.parents))]
            linked = (
                (*row, *rows[made.parent][parent]) for row, parent in zip(rows[made.name], made.parents, strict=True)
            )
            connection.executemany(f"INSERT INTO {made.name} VALUES (?, ?, ?, ?)", linked)


def owners(shop: Shop) -> dict[str, list[int]]:
    """The tenant of each row, found by following its parents."""
    found = {"t": list(range(shop.tenants))}
    for made in shop.tables:
        found[made.name] = [found[made.parent][parent] for parent in made.parents]
    return found


def keys(path: Path, table: str) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [key for (key,) in connection.execute(f"SELECT a FROM {table} ORDER BY a")]


@settings(max_examples=40, deadline=None)
@given(shops(), st.integers(1, 3), st.integers(1, 7))
def test_every_row_is_on_its_tenants_shard_and_nowhere_else(shop: Shop, count: int, batch_rows: int) -> None:
    with TemporaryDirectory() as folder:
        source = Path(folder) / "source.db"
        build(source, shop)
        shards = {f"s{number}": Path(folder) / f"s{number}.db" for number in range(count)}
        split_into(source, shards, batch_rows)
        with SqliteStore(Path(folder) / "directory.db") as store:
            directory = store.read("t")
        for table, tenants in owners(shop).items():
            for shard, path in shards.items():
                expected = [n for n, t in enumerate(tenants) if directory[str(t)] == shard]
                assert keys(path, table) == expected


def split_into(source: Path, shards: dict[str, Path], batch_rows: int) -> None:
    targets: Iterable[tuple[str, str]] = ((n, f"sqlite:///{path}") for n, path in shards.items())
    request = SplitRequest(
        source=f"sqlite:///{source}",
        tenant="t",
        targets=tuple(targets),
        directory=str(source.with_name("directory.db")),
        space="t",
        batch_rows=batch_rows,
    )
    run_split(request, Console(quiet=True))
