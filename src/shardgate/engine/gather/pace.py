"""The pace of a client that a merged reply is written to: pauses the writer while the client does not read.

Holds: a client that reads nothing for the idle time is given up, with an error of its own.
Never: writes.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from shardgate.core.errors import SlowClientError

CLIENT_DOES_NOT_READ: Final = "the client does not read its reply"


class Pace:
    """Back-pressure of one client, for the writer of its reply."""

    __slots__ = ("_give_up", "_go_on", "_idle_s", "_timer", "is_paused")

    def __init__(self, idle_s: float, go_on: Callable[[], None], give_up: Callable[[Exception], None]) -> None:
        self._idle_s = idle_s
        self._go_on = go_on
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self.is_paused = False
        """The client has not read what was written."""

    def pause(self) -> None:
        """The client does not keep up: wait for it, but no longer than the idle time."""
        self.is_paused = True
        self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._expire)

    def resume(self) -> None:
        """The client has caught up."""
        self.is_paused = False
        self._stop_timer()
        self._go_on()

    def end(self) -> None:
        """Nothing more is written."""
        self._stop_timer()
        # A writer refers to its pace: the two would be garbage that holds the reply.
        self._go_on, self._give_up = _nothing, _nothing_of

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        self._give_up(SlowClientError(CLIENT_DOES_NOT_READ))


def _nothing() -> None:
    """The writer has ended."""


def _nothing_of(_: Exception) -> None:
    """The writer has ended."""
