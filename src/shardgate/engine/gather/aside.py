"""Runs long work on a thread of its own, while the loop serves other requests: merges that cannot be done in steps.

Holds: one piece of work at a time, so that the loop shares the interpreter with one thread at most.
Never: touches anything that the loop changes meanwhile; what it runs must not either.
"""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import TypeVar

from shardgate.core.errors import ShardgateError

Product = TypeVar("Product")


def to_the_end(steps: Generator[None, None, Product]) -> Product:
    """Take all steps; between two of them the loop may go on."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Product = end.value
            return result
        sleep(0)


class Aside:
    """The thread of one worker; it begins with the first work."""

    __slots__ = ("_thread",)

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "merge")

    async def run(self, work: Callable[[], Product]) -> Product:
        """Do it. Returns what it returns, raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _freed, work)


def _freed(work: Callable[[], Product]) -> Product:
    """Do it. What a failure leaves behind is freed on this thread: two million rows hold up the loop for 60 ms.

    An error of ours says in words what happened; no log shows the frames that it came through.
    """
    try:
        return work()
    except ShardgateError as failure:
        error: BaseException | None = failure
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__
        raise
