"""The only module that starts tasks: keeps a reference, and reports the exception that nobody awaited."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_running: set[asyncio.Task[Any]] = set()
_log = logging.getLogger("shardgate")


def start(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run a coroutine on its own."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task %s failed", task.get_name(), exc_info=error)
