"""Tenants whose key is binary, or a UUID that the directory writes otherwise: they move, or are named."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from proof.postgres_server import PostgresServer
from shardgate.move.spellings import TenantNames, bytes_of, spellings_of, texts_of
from shardgate.store.sqlite import SqliteStore
from tests.move.worlds import World, running_world

ID = UUID("0c5e8f4a-1b2c-4d3e-8f90-a1b2c3d4e5f6")
OTHER = UUID("1c5e8f4a-1b2c-4d3e-8f90-a1b2c3d4e5f6")
EMPTY: dict[str, tuple[str, ...]] = {"north": (), "south": (), "west": ()}


@contextmanager
def world_of(folder: Path, server: PostgresServer | None, kind: str, keys: dict[str, str]) -> Iterator[World]:
    """Tenants on north. `kind`: the type of their column; `keys`: name in the directory → key as SQL."""
    schema = f"""
        CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE shops (id {kind} PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE goods (id {kind} PRIMARY KEY, shop {kind} NOT NULL REFERENCES shops(id));
        CREATE TABLE sales (id TEXT PRIMARY KEY, shop {kind} NOT NULL REFERENCES shops(id));
        CREATE TABLE lines (sale TEXT REFERENCES sales(id), no INTEGER, PRIMARY KEY (sale, no));
        CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, name TEXT);
    """
    with running_world(folder, server, EMPTY, schema) as world:
        for number, key in enumerate(keys.values()):
            world.ask("north", f"INSERT INTO shops VALUES ({key}, 'shop {number}')")
            world.ask("north", f"INSERT INTO goods VALUES ({key}, {key})")
            world.ask("north", f"INSERT INTO sales VALUES ('s{number}', {key})")
            world.ask("north", f"INSERT INTO lines VALUES ('s{number}', 1), ('s{number}', 2)")
        with SqliteStore(world.store) as store:
            store.put_many("shops", [(name, "north") for name in keys])
        yield world


CASES = {
    "bytes as a UUID": ("BLOB", {str(ID): f"x'{ID.hex}'", str(OTHER): f"x'{OTHER.hex}'"}),
    "bytes in digits": ("BLOB", {"00ff10": "x'00ff10'", "00ff11": "x'00ff11'"}),
    "bytes in capitals": ("BLOB", {"00FF10": "x'00ff10'", "00FF11": "x'00ff11'"}),
    "bytes as text": ("BLOB", {"acme": "x'61636d65'", "bern": "x'6265726e'"}),
    "text without hyphens": ("TEXT", {str(ID): f"'{ID.hex}'", str(OTHER): f"'{OTHER.hex}'"}),
    "text with hyphens": ("TEXT", {ID.hex: f"'{ID}'", OTHER.hex.upper(): f"'{OTHER}'"}),
    "a number without a type": ("", {"7": "7", "8": "8"}),
    "both are there": ("TEXT", {str(ID): f"'{ID}'", ID.hex: f"'{ID.hex}'"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_tenant_moves_however_the_directory_writes_its_key(tmp_path: Path, case: str) -> None:
    kind, keys = CASES[case]
    with world_of(tmp_path, None, kind, keys) as world:
        first, key = next(iter(keys.items()))
        code, said = world.run("move", first, "--to", "south")
        assert (code, world.home(first)) == (0, "south"), said
        for shard, others in (("south", "="), ("north", "<>")):
            assert len(world.ask(shard, "SELECT * FROM shops")) == 1
            assert len(world.ask(shard, f"SELECT * FROM goods WHERE shop {others} {key} AND id {others} {key}")) == 1
            assert len(world.ask(shard, "SELECT * FROM lines")) == 2
        code, said = world.run("shard", "drain", "north")
        assert code == 0, said
        assert world.ask("north", "SELECT * FROM goods") == []


@pytest.mark.parametrize("case", ["bytes as a UUID", "bytes in digits", "bytes as text", "uuid"])
def test_the_same_in_postgresql(tmp_path: Path, server: PostgresServer, case: str) -> None:
    kind, keys = ("UUID", {ID.hex: f"'{ID}'", OTHER.hex: f"'{OTHER}'"}) if case == "uuid" else CASES[case]
    written = {name: key.replace("x'", "'\\x") for name, key in keys.items()}
    with world_of(tmp_path, server, kind.replace("BLOB", "BYTEA"), written) as world:
        first = next(iter(keys))
        code, said = world.run("move", first, "--to", "south")
        assert (code, world.home(first)) == (0, "south"), said
        assert [len(world.ask(shard, "SELECT * FROM lines")) for shard in ("north", "south")] == [2, 2]


def test_a_name_that_may_be_two_keys_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    with world_of(tmp_path, None, "BLOB", {"4142": "x'4142'", "34313432": "x'34313432'"}) as world:
        before = world.everything()
        code, said = world.run("move", "4142", "--to", "south")
        assert code == 1
        assert "4142: may be any of x'34313432' and x'4142' in the column id" in " ".join(said.split())
        assert world.everything() == before


def test_bytes_that_the_target_has_are_found_before_anything_is_touched(tmp_path: Path) -> None:
    with world_of(tmp_path, None, "BLOB", {"00ff10": "x'00ff10'"}) as world:
        world.ask("south", "INSERT INTO shops VALUES (x'aa', 'z')")
        world.ask("south", "INSERT INTO goods VALUES (x'00ff10', x'aa')")
        code, said = world.run("move", "00ff10", "--to", "south")
        assert code == 1
        assert "south: goods has a row with id =" in " ".join(said.split())


def test_a_tenant_of_the_directory_that_no_database_has_is_refused(tmp_path: Path) -> None:
    with world_of(tmp_path, None, "BLOB", {"00ff10": "x'00ff10'"}) as world:
        with SqliteStore(world.store) as store:
            store.put_many("shops", [("00ff99", "north")])
        code, said = world.run("move", "00ff99", "--to", "south")
        assert (code, "00ff99: shops of north has no such row" in " ".join(said.split())) == (1, True)


def test_what_a_key_may_be_written_as() -> None:
    assert texts_of(ID.bytes)[:2] == [str(ID), ID.hex]
    assert texts_of(b"acme")[0] == "acme"
    assert texts_of("7") == ["7"]
    assert bytes_of(str(ID)) == [str(ID).encode(), ID.bytes]
    assert {str(ID), ID.hex} <= {*spellings_of(f"\\x{ID.hex}")}
    assert spellings_of("4142") == ["4142"]  # a text is no bytes
    names = TenantNames([str(ID), "00ff", "a"])
    assert [names.of(key) for key in (ID.bytes, ID, ID.hex, b"\x00\xff", "a", "b", 7)] == [
        *[str(ID)] * 3, "00ff", "a", "b", "7",
    ]  # fmt: skip
