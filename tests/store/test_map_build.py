"""The map of a store is made, brought up to date, and made by one process at a time."""

import subprocess
import sys
from pathlib import Path

import msgspec

from shardgate.store.directory_map import DirectoryMap, key_prefix
from shardgate.store.map_build import MapOrder, build_map, locked
from shardgate.store.map_place import beside
from shardgate.store.sqlite import SqliteStore


def test_a_map_is_made_and_brought_up_to_date(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "d.db") as store:
        store.put_many("vendors", [("acme", "north"), ("best", "south")])
        seen: list[int] = []
        assert build_map(store, beside(store.path), {}, seen.append)
        salt = DirectoryMap(beside(store.path)).header.salt
        store.put_many("vendors", [("best", "north"), ("new", "south")])
        with store.transaction():
            store.remove("vendors", ["acme"])
        assert build_map(store, beside(store.path), {}, seen.append)
        of = DirectoryMap(beside(store.path))
        prefix = key_prefix("vendors")
        assert [of.find(prefix + key) for key in (b"acme", b"best", b"new")] == [None, "north", "south"]
        assert (of.header.salt, of.header.epoch, seen) == (salt, 3, [2])  # not all keys were read again


def test_two_processes_do_not_make_it_at_once(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "d.db") as store:
        with locked(beside(store.path)) as is_mine:
            assert is_mine
            assert not build_map(store, beside(store.path), {})
        assert build_map(store, beside(store.path), {})


def test_it_is_a_program(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "d.db") as store:
        store.put_many("vendors", [("ACME", "north")])
    order = MapOrder(
        str(tmp_path / "d.db"), str(beside(tmp_path / "d.db")), {"vendors": frozenset({"case_insensitive"})}
    )
    command = [sys.executable, "-m", "shardgate.store.map_build"]
    subprocess.run(command, input=msgspec.json.encode(order), check=True)
    assert DirectoryMap(beside(tmp_path / "d.db")).header.compares == [("vendors", "case_insensitive")]
