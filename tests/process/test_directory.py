"""A worker follows what others write into the directory; one that cannot be read leaves the last one in force."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from shardgate.config.load import Loaded, load
from shardgate.core.topology import Topology
from shardgate.engine.cluster import Snapshot, first_snapshot
from shardgate.process import directory as rooms
from shardgate.process.directory import DirectoryFollower, read_topology
from shardgate.store.directory_reader import INLINE_ROWS_MAX
from shardgate.store.sqlite import SqliteStore
from tests.waiting import until


class Following:
    """What a cluster does with a directory."""

    def __init__(self, loaded: Loaded, store: SqliteStore) -> None:
        self.snapshot: Snapshot = first_snapshot(loaded.routes, read_topology(loaded, store), loaded.config.limits)

    def replace_directory(self, topology: Topology) -> None:
        known = msgspec.structs.replace(self.snapshot.known, topology=topology)
        self.snapshot = self.snapshot.knowing(known)

    @property
    def owners(self) -> Any:
        return self.snapshot.known.topology.directory


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendor", [("acme", "north")])
        yield store


@pytest.fixture
def loaded(tmp_path: Path, store: SqliteStore) -> Loaded:
    file = tmp_path / "shardgate.yaml"
    shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
    config = {"shards": shards, "directory": "directory.db", "rules": {"GET /any": {"rule": "any"}}}
    file.write_text(yaml.safe_dump(config))
    return load(file)


def following(loaded: Loaded, store: SqliteStore) -> tuple[DirectoryFollower, Following]:
    cluster = Following(loaded, store)
    return DirectoryFollower(loaded, store, cluster), cluster  # type: ignore[arg-type]


def test_without_a_store_there_are_the_shards_alone(loaded: Loaded) -> None:
    topology = read_topology(loaded, None)
    assert (set(topology.shards), dict(topology.directory)) == ({"north", "south"}, {})


def test_what_another_process_writes_is_taken_over(loaded: Loaded, store: SqliteStore, tmp_path: Path) -> None:
    directory, cluster = following(loaded, store)
    assert not directory.refresh()
    with SqliteStore(tmp_path / "directory.db") as other:
        other.put_many("vendor", [("newcomer", "south")])
    assert directory.refresh()
    assert cluster.owners["vendor"]["newcomer"] == "south"
    assert not directory.refresh()


def test_a_directory_that_cannot_be_read_leaves_the_last_one_in_force(
    loaded: Loaded, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    directory, cluster = following(loaded, store)
    store.close()
    with caplog.at_level(logging.ERROR, "shardgate"):
        assert not directory.refresh()
    assert cluster.owners["vendor"]["acme"] == "north"
    assert "the directory cannot be read" in caplog.text


async def test_it_is_followed_by_itself(
    loaded: Loaded, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shardgate.net import tasks

    monkeypatch.setattr(rooms, "POLL_S", 0.01)
    directory, cluster = following(loaded, store)
    task = tasks.start(directory.follow(), "directory")
    with SqliteStore(tmp_path / "directory.db") as other:
        other.put_many("vendor", [("acme", "south")])
    await until(lambda: cluster.owners["vendor"]["acme"] == "south")
    task.cancel()


async def test_all_keys_are_read_anew_also_while_others_change_them(
    loaded: Loaded, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: what was read was dropped where a key had changed meanwhile, so that keys were asked of the store on."""
    from shardgate.net import tasks

    monkeypatch.setattr(rooms, "POLL_S", 0.01)
    directory, cluster = following(loaded, store)
    loop, count = asyncio.get_running_loop(), 0
    with SqliteStore(tmp_path / "directory.db") as other:
        other.put_many("vendor", [(f"tenant-{number}", "north") for number in range(2 * INLINE_ROWS_MAX)])
        assert directory.refresh()
        assert directory.how == "asked"

        def change() -> None:
            nonlocal count
            count += 1
            other.put_many("vendor", [(f"new-{count}", "south")])
            directory.refresh()
            if directory.how != "held":
                loop.call_soon(change)

        loop.call_soon(change)
        task = tasks.start(directory.follow(), "directory")
        await until(lambda: directory.how == "held", within_s=5)
        task.cancel()
        assert cluster.owners["vendor"][f"new-{count}"] == "south"
        assert directory.epoch == other.epoch()
