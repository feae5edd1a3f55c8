"""Runs long work on a thread of its own, while the loop serves other requests: merges that cannot be done in steps.

Holds: one piece of work at a time, so that the loop shares the interpreter with one thread at most.
Never: touches anything that the loop changes meanwhile; what it runs must not either.
"""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import TypeVar

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
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
