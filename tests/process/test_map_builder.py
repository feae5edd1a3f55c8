"""A worker has a map made, once, by a process that serves nobody; where it cannot be made, it says so and goes on."""

import logging
from pathlib import Path

import pytest

from shardgate.process import map_builder
from shardgate.process.map_builder import MapBuilder
from shardgate.store.directory_map import DirectoryMap, key_prefix
from shardgate.store.map_build import locked
from shardgate.store.map_place import beside
from shardgate.store.sqlite import SqliteStore
from tests.waiting import until


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with SqliteStore(tmp_path / "d.db") as store:
        store.put_many("v", [("a", "north")])
    return tmp_path / "d.db"


@pytest.fixture
def broken(place: Path) -> Path:
    place.write_bytes(b"not a store" * 1_000)
    return place


async def test_a_map_is_made(place: Path) -> None:
    MapBuilder(place, {}).want()
    await until(beside(place).exists)
    assert DirectoryMap(beside(place)).find(key_prefix("v") + b"a") == "north"


async def test_what_another_process_makes_is_not_made_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_builder, "PAUSE_S", 0.0)
    builder = MapBuilder(place, {})
    with locked(beside(place)):
        builder.want()
        assert not builder.is_at_work
    builder.want()
    assert builder.is_at_work
    await until(lambda: not builder.is_at_work)
    assert beside(place).exists()


async def test_a_store_that_cannot_be_read_is_told(broken: Path, caplog: pytest.LogCaptureFixture) -> None:
    builder = MapBuilder(broken, {})
    with caplog.at_level(logging.ERROR, "shardgate"):
        builder.want()
        await until(lambda: not builder.is_at_work)
    assert "the map of the directory was not made" in caplog.text
    assert "Is this the file of a store?" in caplog.text


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    MapBuilder(tmp_path / "nowhere" / "d.db", {}).want()
    assert "no map of the directory can be made" in caplog.text


def test_after_its_end_none_is_made(place: Path) -> None:
    builder = MapBuilder(place, {})
    builder.close()
    builder.want()
    assert not builder.is_at_work
