"""Measures how long requests take while tenants move, and while none does, at a steady pace.

Who moves nothing is a *bystander*: its reads, its lists of all shards, and its changes. Reads are timed from when they
were due, over several connections, so that one that waits does not hold up the next ones. The tenant that moves is
changed all the time, so that a client has waited as long as is said. Times with and without a movement are taken in
turns, as the machine is another one a minute later.
Holds: the load is the same with and without a movement: who moved last is changed on. A change is made at the monolith,
too, and changes nothing that is compared. It is a process of its own: that of the proof stands still for a second while
it collects garbage.

Run as `python -m proof.move.meter`, with a Load on standard input.
"""

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from proof.asking import AskingThreads
from proof.data import ROOT
from proof.move.stages import Asked, Kind
from proof.move.window import Windows

PERIOD_S: Final = 0.05
_CHANGE_S: Final = 0.2  # the monolith has changes enough to make
_READERS: Final = 4
_WARM_S: Final = 2.0
"""The first requests find caches cold; they are not counted."""
_LIST: Final = "/v3/events?order=-name&limit=20&with_count=true"
_CHANGE: Final = {"email": "moved@example.com"}


class Load(NamedTuple):
    """Whom to ask for what."""

    monolith: str
    gateway: str
    token: str
    bystanders: Sequence[str]
    changes: bool
    """Make changes, too."""


class Meter:
    """The process, as its user sees it: it asks as long as the block runs."""

    def __init__(self, load: Load) -> None:
        self.asked: list[Asked] = []
        """What bystanders asked, after the block."""
        self.failures: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proof.move.meter"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(load)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asked, self.failures = self._tell(None)
        self.asked = [Asked(*each) for each in asked]
        with self._process:
            pass

    @contextmanager
    def moving(self, tenant: str) -> Iterator[list[float]]:
        """This tenant moves as long as the block runs; how long its changes took is in the list afterwards.

        The end of the block waits for the reply to the change that is under way.
        """
        waits: list[float] = []
        self._tell(tenant)
        try:
            yield waits
        finally:
            waits += self._tell("")

    def _tell(self, what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Clients(AskingThreads):
    """What the process does."""

    def __init__(self, load: Load) -> None:
        super().__init__(_READERS + (3 if load.changes else 1))
        self._load = load
        self._began_at = time.monotonic()
        self.moves_last: str | None = None
        self.windows = Windows()
        """How long changes of the tenant that moves took."""
        self.asked: list[Asked] = []
        self.failures: list[str] = []

    def _ask(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self._load.token}"}
        with (
            httpx.Client(base_url=self._load.monolith, timeout=60, headers=headers) as monolith,
            httpx.Client(base_url=self._load.gateway, timeout=60, headers=headers) as gateway,
        ):
            if number < _READERS:
                self._read(number, gateway)
            else:
                others = (self._list, self._change_bystanders, self._change_the_moving)
                others[number - _READERS](monolith, gateway)

    def _due(self, period_s: float, first_s: float = 0.0) -> Iterator[tuple[int, float]]:
        """The numbers of requests, each when it is due, and that moment."""
        for number in count():
            due_at = self._began_at + first_s + number * period_s
            if self._ended.wait(max(0.0, due_at - time.monotonic())):
                return
            yield number, due_at

    def _read(self, reader: int, gateway: httpx.Client) -> None:
        for number, due_at in self._due(PERIOD_S * _READERS, PERIOD_S * reader):
            tenant = self._load.bystanders[(number + reader) % len(self._load.bystanders)]
            path = f"/v3/vendors/{tenant}" + ("/events?limit=5" if number % 2 else "")
            self._timed("reads", due_at, partial(gateway.get, path))

    def _list(self, _: httpx.Client, gateway: httpx.Client) -> None:
        for _number, _due_at in self._due(_CHANGE_S, PERIOD_S / 2):
            self._timed("lists", time.monotonic(), partial(gateway.get, _LIST))

    def _change_bystanders(self, monolith: httpx.Client, gateway: httpx.Client) -> None:
        for number, _ in self._due(_CHANGE_S):
            path = f"/v3/vendors/{self._load.bystanders[number % len(self._load.bystanders)]}"
            monolith.patch(path, json=_CHANGE)
            self._timed("changes", time.monotonic(), partial(gateway.patch, path, json=_CHANGE))

    def _change_the_moving(self, monolith: httpx.Client, gateway: httpx.Client) -> None:
        for _ in self._due(PERIOD_S):
            with self.windows.change() as waits:
                if (tenant := self.moves_last) is None:
                    continue
                path = f"/v3/vendors/{tenant}"
                monolith.patch(path, json=_CHANGE)
                began_at = time.monotonic()
                self._judge(gateway.patch(path, json=_CHANGE))
                waits.append(time.monotonic() - began_at)

    def _timed(self, kind: Kind, since_s: float, ask: Callable[[], httpx.Response]) -> None:
        reply = ask()
        if since_s > self._began_at + _WARM_S:
            self.asked.append(Asked(kind, since_s, time.monotonic()))
        self._judge(reply)

    def _judge(self, reply: httpx.Response) -> None:
        if reply.status_code != 200:
            self.failures.append(f"{reply.request.method} {reply.request.url}: {reply.status_code} {reply.text[:200]}")


def main() -> None:
    """Ask until told to end."""
    gc.disable()
    with _Clients(Load(*json.loads(sys.stdin.readline()))) as clients:
        time.sleep(_WARM_S)
        print(json.dumps(None), flush=True)
        while (told := json.loads(sys.stdin.readline())) is not None:
            clients.moves_last = told or clients.moves_last
            print(json.dumps(clients.windows.next()), flush=True)
        clients.stop()
    print(json.dumps([clients.asked, clients.failures]), flush=True)


if __name__ == "__main__":
    main()
