"""Signals as something to wait for, in a process without an event loop.

Holds: a signal interrupts nothing; it is handled only where the process waits for one.
"""

import os
import select
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Signals:
    """Collects the signals of a process."""

    __slots__ = ("_numbers", "_reader", "_writer")

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = frozenset(numbers)
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer)
        for number in self._numbers:
            signal.signal(number, _noted)

    def wait(self, fd: int, timeout_s: float | None) -> list[int]:
        """Wait for signals, and return those that came. Returns none after the timeout, or when `fd` can be read."""
        select.select([self._reader, fd], [], [], timeout_s)
        try:
            return [*os.read(self._reader, 4096)]
        except BlockingIOError:
            return []

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold signals back during a fork; the parent gets them afterwards."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)

    def forget(self, ignored: Iterable[int]) -> None:
        """In a forked child, where signals are still held: each ends the process again, except those `ignored`."""
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)


class Terminal:
    """The terminal that this process was started in, if any."""

    __slots__ = ("_fd",)

    def __init__(self) -> None:
        try:
            self._fd = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    @property
    def gone(self) -> bool:
        """Whether there was a terminal, and it was closed."""
        if self._fd < 0:
            return False
        poll = select.poll()
        poll.register(self._fd, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))


def _noted(*_: object) -> None:
    """The number is in the pipe."""
