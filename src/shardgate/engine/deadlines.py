"""Until when a request must be answered: as its rule says, or earlier, as its client says. Then it ends, with 504.

Holds: no reply begins after its deadline, and none goes on after it; a protocol that was switched to does. A change
that is under way is finished without its client. Shards are told what was left when the request was planned.
Never: ends a request that has none.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Protocol

from shardgate.core.errors import DeadlineError, MalformedRequestError
from shardgate.core.excerpt import excerpt
from shardgate.core.exchange import DEADLINE, Exchange
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.routes.route import Route
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now

_SWITCHED = 101
# Milliseconds: eleven days at most.
_MILLISECONDS = re.compile(rb"[0-9]{1,9}")


class Cancellable(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """It does not come."""


def _of_the_loop(seconds: float, call: Callable[[], None]) -> Cancellable:
    return asyncio.get_running_loop().call_later(seconds, call)


class Deadlines:
    """The deadlines of one worker's requests."""

    __slots__ = ("_clock", "_header", "_later", "_line", "_passed", "_timers")

    def __init__(
        self,
        header: str | None,
        passed: Callable[[str], None],
        clock: Callable[[], float] = now,
        later: Callable[[float, Callable[[], None]], Cancellable] = _of_the_loop,
    ) -> None:
        """`header`: the field by which clients say theirs. `passed`: told whose deadline has passed. `later`: calls
        something in so many seconds of the clock."""
        self._clock = clock
        self._later = later
        self._header = header.lower().encode() if header else b""
        self._line = re.compile(rb"(?:^|(?<=\r\n))%b:[^\r]*\r\n" % re.escape(self._header), re.IGNORECASE)
        self._passed = passed
        self._timers: dict[int, Cancellable] = {}

    def begin(self, request: Request, route: Route, client: Client, exchange: Exchange) -> None:
        """Note until when a request must be answered. It may begin twice, when its body has come.

        Raises MalformedRequestError where the client says nothing that can be understood, DeadlineError where the
        deadline has passed.
        """
        of_rule = route.rule.deadline_s if route.rule is not None else None
        of_client = self._of_client(request)
        if of_client is None and of_rule is None:
            return
        if of_rule is None or (of_client is not None and of_client < of_rule):
            whose, deadline_s = "client", of_client or 0.0
        else:
            whose, deadline_s = "rule", of_rule
        left_s = exchange.began_at + deadline_s - self._clock()
        error = _error(request, whose, deadline_s)
        if left_s <= 0:
            self._passed(whose)
            raise error
        if self._header:
            self._tell_shards(request, left_s)
        if id(exchange) not in self._timers:
            self._timers[id(exchange)] = self._later(left_s, partial(self._end, client, exchange, whose, error))

    def over(self, exchange: Exchange) -> None:
        """A request is over."""
        timer = self._timers.pop(id(exchange), None)
        if timer is not None:
            timer.cancel()

    def _end(self, client: Client, exchange: Exchange, whose: str, error: DeadlineError) -> None:
        del self._timers[id(exchange)]
        if client.exchange is exchange and exchange.status != _SWITCHED:
            self._passed(whose)
            client.end(error, DEADLINE)

    def _of_client(self, request: Request) -> float | None:
        """In seconds."""
        said = request.fields.values.get(self._header) if self._header else None
        if said is None:
            return None
        if _MILLISECONDS.fullmatch(said) is None:
            name = self._header.decode()
            raise MalformedRequestError(f"`{name}` is `{excerpt(said)}`; write the milliseconds that are left: `1500`")
        return int(said) / 1000

    def _tell_shards(self, request: Request, left_s: float) -> None:
        fields, line = request.fields, b"%b: %d\r\n" % (self._header, max(1, int(left_s * 1000)))
        told = request.fields = fields.copy()
        told.end_to_end = self._line.sub(b"", fields.end_to_end) + line
        told.unconditional = self._line.sub(b"", fields.unconditional) + line


def _error(request: Request, whose: str, deadline_s: float) -> DeadlineError:
    said = f"the deadline of the {whose}, {deadline_s:g} s, has passed"
    if request.method in SAFE_METHODS:
        return DeadlineError(said)
    return DeadlineError(f"{said}; the change may have been made or not")
