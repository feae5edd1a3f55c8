"""Tasks are kept until they end, and an exception that nobody awaits is logged."""

import asyncio
import gc
import logging

import pytest

from shardgate.net import tasks
from tests.waiting import until


async def test_a_task_is_kept_until_it_ends() -> None:
    ended = asyncio.Event()
    go_on = asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()

    tasks.start(work(), "kept")
    gc.collect()
    go_on.set()
    await ended.wait()


async def test_an_exception_is_logged_under_the_tasks_name(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "shardgate"):
        tasks.start(fail(), "the one that fails")
        await until(lambda: "task the one that fails failed" in caplog.text)
    assert "ZeroDivisionError" in caplog.text


async def test_a_cancelled_task_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.start(asyncio.Event().wait(), "cancelled")  # type: ignore[arg-type]
    task.cancel()
    await until(task.done)
    assert caplog.text == ""
