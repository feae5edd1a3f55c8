"""The writer: jobs run one after the other in a thread, and the event loop goes on meanwhile."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shardgate.core.errors import StoreUnavailableError
from shardgate.store import writer as module
from shardgate.store.sqlite import SqliteStore
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer
from tests.locking import locked
from tests.waiting import one_turn


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "store.db")
    yield writer
    writer.close()


async def test_jobs_run_in_their_order_and_outside_the_loop(writer: Writer) -> None:
    ran: list[int] = []
    threads: set[int] = set()

    def job(number: int) -> int:
        ran.append(number)
        threads.add(threading.get_ident())
        return number

    assert await asyncio.gather(*(writer.run(job, number) for number in range(20))) == list(range(20))
    assert ran == list(range(20))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_the_loop_goes_on_while_a_job_waits(writer: Writer) -> None:
    go_on = threading.Event()
    waiting = asyncio.ensure_future(writer.run(go_on.wait, 60))
    behind = asyncio.ensure_future(writer.run(lambda: "ran"))
    await asyncio.wait([behind], timeout=0)
    assert not behind.done()
    go_on.set()
    assert await waiting
    assert await behind == "ran"


async def test_an_error_of_a_job_reaches_who_asked_and_the_next_job_runs(writer: Writer) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await writer.run(fail)
    assert await writer.run(writer.usage.add, [("2026-11", "one", 2)], 0.0) == [2]


async def test_what_was_asked_for_is_written_before_it_closes(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    adding = [asyncio.ensure_future(writer.run(writer.usage.add, [("p", "one", 1)], 0.0)) for _ in range(10)]
    await asyncio.wait(adding, timeout=0)
    writer.close()
    assert [await each for each in adding] == [[number] for number in range(1, 11)]
    with SqliteStore(tmp_path / "store.db") as store:
        assert Usage(store).calls("p", "one") == 10


async def test_a_store_that_could_only_be_read_is_written_as_soon_as_it_can_be(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    place = f"{(tmp_path / 'store.db').as_uri()}?mode=ro"
    writer._store._connection = sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
    with pytest.raises(StoreUnavailableError) as found:
        await writer.run(writer.usage.add, [("p", "one", 1)], 0.0)
    assert "readonly" in found.value.log
    assert await writer.run(writer.usage.add, [("p", "one", 1)], 0.0) == [1]
    writer.close()


async def test_a_locked_store_is_an_error_and_nobody_waits_for_those_before_it(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TURN_S", 0.05)
    go_on = threading.Event()
    before = asyncio.ensure_future(writer.run(go_on.wait, 60))
    await one_turn()
    with pytest.raises(StoreUnavailableError):
        await writer.run(writer.usage.add, [("p", "one", 1)], 0.0)
    go_on.set()
    assert await before
    writer._store.connection.execute("PRAGMA busy_timeout = 1")
    with locked(tmp_path / "store.db"), pytest.raises(StoreUnavailableError) as found:
        await writer.run(writer.usage.add, [("p", "one", 1)], 0.0)
    assert "locked" in found.value.log
    assert await writer.run(writer.usage.add, [("p", "one", 1)], 0.0) == [1]


async def test_after_the_end_a_job_is_refused_as_such(tmp_path: Path) -> None:
    """Found: a change that was under way at the end was reported as a defect (SG9001)."""
    writer = Writer(tmp_path / "store.db")
    writer.close()
    with pytest.raises(StoreUnavailableError):
        await writer.run(writer.usage.calls, "p", "one")
