"""The writer: jobs run one after the other in a thread, and the event loop goes on meanwhile."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shardgate.store.sqlite import SqliteStore
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer


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
