"""Waits until something has happened. The only module of the tests that sleeps.

A test never sleeps to let time pass: it passes the time in, or it waits here for what it needs. A wait ends as soon as
the condition holds, so a quiet machine loses no time; a busy one gets `WITHIN_S` before the test fails.

Holds: a condition that never becomes true fails the test. It never passes for lack of patience.
"""

import asyncio
import fcntl
import inspect
import struct
import termios
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

WITHIN_S = 30.0
"""How long a condition may take. No test measures with it: it is far more than any condition needs."""
_POLL_S = 0.005
_STILL_POLLS = 40


async def until(condition: Callable[[], T | Awaitable[T]], within_s: float = WITHIN_S) -> T:
    """Wait until a condition, which may be a coroutine, gives something true; return that."""
    deadline_at = time.monotonic() + within_s
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline_at, f"not true within {within_s:g} s: {_source(condition)}"
        await asyncio.sleep(_POLL_S)


def wait_until(condition: Callable[[], T], within_s: float = WITHIN_S) -> T:
    """The same for a test that has no event loop."""
    deadline_at = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline_at, f"not true within {within_s:g} s: {_source(condition)}"
        time.sleep(_POLL_S)
    return found


async def delivered(writer: asyncio.StreamWriter) -> None:
    """Wait until the other side's socket has all that was written, and the other side had a chance to read it.

    Another write then arrives as a piece of its own. For a peer in the same event loop.
    """
    await until(lambda: writer.transport.get_write_buffer_size() == 0 and _unacknowledged(writer) == 0)
    await one_turn()


async def settled(value: Callable[[], T]) -> T:
    """Wait until a value has stopped changing: it was the same for a while. Return it.

    A machine that stands still for as long looks settled, too: a test must hold for a value that is not final.
    """
    last, same = value(), 0

    def is_still() -> bool:
        nonlocal last, same
        now = value()
        last, same = now, same + 1 if now == last else 0
        return same >= _STILL_POLLS

    await until(is_still)
    return last


async def one_turn() -> None:
    """Let everything else in this event loop do what it can do now."""
    for _ in range(3):
        await asyncio.sleep(0)


async def one_round() -> None:
    """Let the event loop go round once."""
    await asyncio.sleep(0)


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """The bytes in the kernel's queue that the other side's kernel has not got (`man 7 tcp`, SIOCOUTQ)."""
    found = fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", found)[0])


def _source(condition: Callable[[], object]) -> str:
    try:
        return inspect.getsource(condition).strip()
    except OSError:
        return repr(condition)
