"""What others wait for that write into a file of SQLite while tenants move."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shardgate.move.errors import DifferentRowsError
from shardgate.move.moving_rows import MovingRows
from shardgate.move.run import settings_from
from shardgate.process.preflight import read
from tests.move.worlds import World, running_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path, None) as world:
        for shard in world.names:
            world.ask(shard, "PRAGMA journal_mode = WAL")
        yield world


@pytest.fixture
def work(world: World) -> Iterator[MovingRows]:
    work = MovingRows(settings_from(read(world.config), {}), "north", "south", ["a"])
    yield work
    work.close()


def nobody_waits(world: World, shard: str) -> None:
    """Others can write there now."""
    with closing(sqlite3.connect(world.folder / f"{shard}.db", timeout=0)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.rollback()


def test_a_copy_writes_by_turns_between_which_others_write(
    world: World, work: MovingRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ", ".join(f"('a-x{n}', 'a', 1, 'n')" for n in range(2000))
    world.ask("north", f"INSERT INTO goods VALUES {more}")
    rested: list[float] = []
    monkeypatch.setattr("shardgate.move.sqlite.time.sleep", lambda s: (rested.append(s), nobody_waits(world, "south")))
    assert sum(work.copy()) == 2008
    assert len(rested) > 4


def test_what_was_copied_is_taken_out_of_the_log_by_the_mover(world: World, work: MovingRows) -> None:
    more = ", ".join(f"('a-x{n}', 'a', 1, 'n')" for n in range(2000))
    world.ask("north", f"INSERT INTO goods VALUES {more}")
    before = (world.folder / "south.db").stat().st_size
    assert sum(work.copy()) == 2008
    assert (world.folder / "south.db").stat().st_size > before


def test_a_commit_waits_for_the_disk_when_others_can_write_again(
    world: World, work: MovingRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def look(number: int) -> None:
        synced.append(Path(f"/proc/self/fd/{number}").readlink().name)
        nobody_waits(world, synced[-1].split(".")[0])

    assert sum(work.copy()) == 8
    work.hand_over()
    monkeypatch.setattr("shardgate.move.sqlite.os.fsync", look)
    work.commit_target()
    work.source.commit()
    assert synced == ["south.db-wal", "north.db-wal"]


def test_a_commit_that_the_disk_does_not_keep_is_taken_back(
    world: World, work: MovingRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(_: int) -> None:
        monkeypatch.undo()
        raise OSError(5, "Input/output error")

    assert sum(work.copy()) == 8
    work.hand_over()
    monkeypatch.setattr("shardgate.move.sqlite.os.fsync", fail_once)
    with pytest.raises(DifferentRowsError, match="Input/output error"):
        work.commit_target()
    assert world.ask("south", "SELECT id FROM shops") == [("c",)]
    assert world.ask("north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_without_a_log_every_commit_waits_for_the_disk(world: World) -> None:
    for shard in world.names:
        world.ask(shard, "PRAGMA journal_mode = DELETE")
    with closing(MovingRows(settings_from(read(world.config), {}), "north", "south", ["a"])) as work:
        assert work.target.query("PRAGMA synchronous") == [(2,)]
        assert sum(work.copy()) == 8
        work.hand_over()
        work.commit_target()
        work.source.commit()
        work.release()
    assert world.ask("south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
