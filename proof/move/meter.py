"""Measures how long requests take while tenants move, and while none does, at a steady pace.

Who moves nothing is a *bystander*: its reads are timed from when they were due, so that one that waits makes the next
ones late, too. The tenant that moves is changed all the time, so that a client has waited as long as is said.
Times with and without a movement are taken in turns, as the machine is another one a minute later.
Holds: the load is the same with and without a movement: who moved last is changed on. A change is made at the monolith,
too, and changes nothing that is compared.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Final

import httpx

from proof.asking import AskingThreads
from proof.fleet import Fleet
from proof.move.stages import Asked, Kind

PERIOD_S: Final = 0.05
_CHANGE: Final = {"email": "moved@example.com"}


class Meter(AskingThreads):
    """Asks as long as the block runs: reads of bystanders; and changes, if it is told to make some."""

    def __init__(self, fleet: Fleet, token: str, bystanders: Sequence[str], *, changes: bool) -> None:
        super().__init__(3 if changes else 1)
        self._fleet = fleet
        self._headers = {"Authorization": f"Bearer {token}"}
        self._bystanders = bystanders
        self._moves_last: str | None = None
        self._waits: list[float] = []
        self.asked: list[Asked] = []
        """What bystanders asked."""
        self.failures: list[str] = []

    @contextmanager
    def moving(self, tenant: str) -> Iterator[list[float]]:
        """This tenant moves as long as the block runs; how long its changes took is in the list afterwards."""
        waits = self._waits = []
        self._moves_last = tenant
        try:
            yield waits
        finally:
            self._waits = []

    def _ask(self, number: int) -> None:
        sides = [
            httpx.Client(base_url=server.url, timeout=60, headers=self._headers)
            for server in (self._fleet.monolith, self._fleet.gateway)
        ]
        try:
            (self._read, self._change_bystanders, self._change_the_moving)[number](*sides)
        finally:
            for side in sides:
                side.close()

    def _paced(self) -> Iterator[tuple[int, float]]:
        """The numbers of requests, each when it is due, and that moment."""
        began_at = time.monotonic()
        for number in count():
            due_at = began_at + number * PERIOD_S
            if self._ended.wait(max(0.0, due_at - time.monotonic())):
                return
            yield number, due_at

    def _read(self, _: httpx.Client, gateway: httpx.Client) -> None:
        for number, due_at in self._paced():
            tenant = self._bystanders[number % len(self._bystanders)]
            path = f"/v3/vendors/{tenant}" + ("/events?limit=5" if number % 2 else "")
            self._timed("reads", due_at, partial(gateway.get, path))

    def _change_bystanders(self, monolith: httpx.Client, gateway: httpx.Client) -> None:
        for number, _ in self._paced():
            if number % 4:
                continue  # the monolith has changes enough to make
            path = f"/v3/vendors/{self._bystanders[number // 4 % len(self._bystanders)]}"
            monolith.patch(path, json=_CHANGE)
            self._timed("changes", time.monotonic(), partial(gateway.patch, path, json=_CHANGE))

    def _change_the_moving(self, monolith: httpx.Client, gateway: httpx.Client) -> None:
        for _ in self._paced():
            if (tenant := self._moves_last) is None:
                continue
            waits, path = self._waits, f"/v3/vendors/{tenant}"
            monolith.patch(path, json=_CHANGE)
            began_at = time.monotonic()
            self._judge(gateway.patch(path, json=_CHANGE))
            waits.append(time.monotonic() - began_at)

    def _timed(self, kind: Kind, since_s: float, ask: Callable[[], httpx.Response]) -> None:
        reply = ask()
        self.asked.append(Asked(kind, since_s, time.monotonic()))
        self._judge(reply)

    def _judge(self, reply: httpx.Response) -> None:
        if reply.status_code != 200:
            self.failures.append(f"{reply.request.method} {reply.request.url}: {reply.status_code} {reply.text[:200]}")
