"""The stage of the chaos: four shards with two instances each, a gateway with two workers, and the load on it.

Holds: what is started here is ended here, however the block is left.
"""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

from proof.chaos.gateway import Gateway
from proof.chaos.judged import NOISE_LAG_S, percentile
from proof.chaos.loading import LoadProcess
from proof.chaos.names import NameServer
from proof.chaos.record import Record
from proof.chaos.shards import Shard
from proof.chaos.variants import Ground, Variant
from proof.chaos.writes import read_made, torn
from proof.hostile.asking import ask
from tools.ports import reserved_port

USUAL = {"read": 250.0, "list": 25.0, "create": 20.0, "every": 4.0}
"""Requests a second of each kind."""
RELOAD_S = 5.0
LOOK_S = 2.0
TIMER_S = 0.005
PATIENCE_S = 120.0
"""So long a whole run waits for a quiet machine."""
_SHARDS = {"n": "north", "s": "south", "w": "west", "e": "east"}
_SAMPLE = re.compile(r"^(shardgate_\w+)(?:\{.*\})? (\S+)$", re.MULTILINE)
_METRICS = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_OVER_STATES = frozenset({"done", "undone", "abandoned"})


class Stage:
    """All that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards = {
            letter: Shard(letter, name, index, folder) for index, (letter, name) in enumerate(_SHARDS.items(), 1)
        }
        self.gateway: Gateway
        self.variant: Variant
        self.names = NameServer()
        self.listening: socket.socket | None = None
        """Held for gateways that are passed a socket."""
        self.notes: list[str] = []
        """What a fault has seen by itself."""
        self.found: list[str] = []
        """What it has found wrong."""
        self.is_late = False
        """Of that, a bound of latency or rate: the fault is tried once again."""
        self.port = reserved_port()
        self.quiet_s: float | None = None
        """Since when nothing was wrong; None: nothing is known."""
        self._load = LoadProcess(self.port)
        self._generations = 0
        self._patience_s = PATIENCE_S
        self._ground = Ground(folder, self.shards, self.names)

    async def __aenter__(self) -> Self:
        try:
            for shard in self.shards.values():
                shard.start()
            await self._load.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._load.stop()
        for shard in self.shards.values():
            shard.stop()

    # The gateway.

    async def open(self, variant: Variant, load: float = 1.0) -> None:
        """Start a gateway of this kind, under so much of the usual load."""
        self.variant = variant
        if variant.passes_socket:
            self.listening = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        await variant.prepare(self._ground)
        if (ca := variant.ca(self._ground)) is not None:
            await self._load_by(LoadProcess(self.port, ca))
        self._bind(variant.others_processors())
        self.gateway = await self.another_gateway()
        await self.load({kind: load * rate for kind, rate in USUAL.items()})

    async def another_gateway(self) -> Gateway:
        """Start one more, on the same port."""
        self._generations += 1
        variant = self.variant
        gateway = Gateway(variant.folder(self._ground), self._config(), f"gateway-{self._generations}")
        await gateway.start(variant.prefix(self._ground), variant.program(self._ground), self.listening)
        return gateway

    async def close(self) -> None:
        """End the gateway."""
        await self.load({})
        self.quiet_s = None
        self.gateway.kill()
        if self.listening is not None:
            self.listening.close()
            self.listening = None
        self.variant.put_away(self._ground)
        if self.variant.ca(self._ground) is not None:
            await self._load_by(LoadProcess(self.port))
        self._bind(os.sched_getaffinity(0))

    async def _load_by(self, load: LoadProcess) -> None:
        await self._load.stop()
        self._load = load
        await load.start()

    def _bind(self, processors: Iterable[int]) -> None:
        """Load and shards run on these alone."""
        self._load.bind(processors)
        for shard in self.shards.values():
            for instance in shard.instances:
                instance.bind(processors)

    @property
    def store(self) -> Path:
        """The store of the gateway."""
        return self.variant.folder(self._ground) / "store.db"

    def _config(self) -> dict[str, Any]:
        variant = self.variant
        return {
            "listen": f"127.0.0.1:{self.port}",
            "admin": f"127.0.0.1:{reserved_port()}",
            "workers": 2,
            "store": str(self.store),
            "access_log": {"to": str(variant.folder(self._ground) / "access.log")},
            "shards": {
                shard.name: {
                    "replicas": variant.replicas(shard),
                    "health": {"path": "/readyz", "interval_s": 0.5},
                    **variant.of_shards,
                }
                for shard in self.shards.values()
            },
            "timeouts": TIMEOUTS,
            "locators": {
                "thing": [{"kind": "prefix", "shards": _SHARDS}],
            },
            "rules": RULES,
            **variant.more,
        }

    # The load.

    @property
    def records(self) -> list[Record]:
        """Of the load, as far as they are of interest still."""
        return self._load.records

    @records.setter
    def records(self, records: list[Record]) -> None:
        self._load.records = records

    async def load(self, rates: Mapping[str, float]) -> None:
        """Ask at these rates from now on."""
        await self._load.ask(rates)

    async def answered(self, until_s: float) -> None:
        """Wait until everything that was due before this instant is over, and told."""
        await self._load.answered(until_s)

    def since(self, instant: float) -> list[Record]:
        """The records of what was due from then on."""
        return self._load.since(instant)

    # What can be seen.

    def last_access(self) -> str:
        """The end of the access log: what was answered last."""
        with (self.variant.folder(self._ground) / "access.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            return log.read().decode(errors="replace")

    async def metrics(self) -> Counter[str]:
        """The metrics of the gateway, summed over their labels; none where it does not answer."""
        answer = await ask(self.gateway.admin_port, _METRICS, within_s=3.0)
        sums: Counter[str] = Counter()
        for name, value in _SAMPLE.findall(answer.received.decode("latin-1")):
            with suppress(ValueError):
                sums[name] += float(value)  # type: ignore[assignment]
        return sums

    async def serving(self, workers: int, within_s: float) -> float:
        """Wait until so many workers serve; how long it took. A finding where they do not in time."""
        began_at = time.monotonic()
        while (await self.metrics())["shardgate_workers"] != workers:
            if time.monotonic() - began_at > within_s:
                self.find(f"{workers} workers do not serve within {within_s:g} s")
                break
            await asyncio.sleep(0.02)
        return time.monotonic() - began_at

    async def reload(self) -> None:
        """Let the gateway read its configuration anew, and wait until it has."""
        before = (await self.metrics())["shardgate_reloads_total"]
        self.gateway.signal(signal.SIGHUP)
        began_at = time.monotonic()
        while (await self.metrics())["shardgate_reloads_total"] == before:
            if time.monotonic() - began_at > RELOAD_S:
                self.find(f"no reload within {RELOAD_S:g} s")
                break
            await asyncio.sleep(0.05)

    def changes(self, *, before: int = sys.maxsize) -> tuple[int, list[str]]:
        """The number of the newest change in the journal, and the states of those before it that are not over."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT id, state FROM journal").fetchall()
            open_ = [state for number, state in rows if number <= before and state not in _OVER_STATES]
            return max((number for number, _ in rows), default=0), open_
        return before, ["unreadable"]

    def torn(self, records: list[Record]) -> list[str]:
        """What is wrong with the changes among these requests."""
        return torn(records, {letter: read_made(shard.kept) for letter, shard in self.shards.items()})

    def note(self, text: str) -> None:
        """To be shown in the table."""
        self.notes.append(text)

    def find(self, text: str, *, is_late: bool = False) -> None:
        """What must not be. `is_late`: a bound of latency or rate is missed, which another program may have caused."""
        self.found.append(text)
        self.is_late = self.is_late or is_late

    def prove(self, took_place: object, otherwise: str) -> None:
        """What holds of a fault that did not take place says nothing: that is a finding, too."""
        if not took_place:
            self.find(f"the fault did not take place: {otherwise}")

    async def until_quiet(self) -> None:
        """Wait while other programs have the machine, as timers of this process show; in a whole run for PATIENCE_S."""
        self.quiet_s = None
        while self._patience_s > 0 and await _lag_s() > NOISE_LAG_S:
            self._patience_s -= LOOK_S

    async def until(self, condition: Callable[[], object], within_s: float, what: str) -> float:
        """Wait for something; how long it took. A finding where it does not come in time."""
        began_at = time.monotonic()
        while not condition():
            if time.monotonic() - began_at > within_s:
                self.find(f"{what}: not within {within_s:g} s")
                break
            await asyncio.sleep(0.01)
        return time.monotonic() - began_at


async def _lag_s() -> float:
    """How late timers are, at the 99th percentile."""
    lags, ends_at = [], time.monotonic() + LOOK_S
    while (instant := time.monotonic()) < ends_at:
        await asyncio.sleep(TIMER_S)
        lags.append(time.monotonic() - instant - TIMER_S)
    return percentile(lags, 99)


TIMEOUTS = {
    "request_timeout_s": 4,
    "first_byte_timeout_s": 3,
    "drain_timeout_s": 5,
    "worker_lease_s": 1,
    "worker_silence_s": 3,
}
DEADLINE_S = 5.0
"""Of lists that may lack a shard: more than the time in which a shard that hangs is given up."""
_MERGE = {
    "kind": "list",
    "dialect": {"kind": "offset", "limit_default": 20},
    "keys": {"id": "text", "n": "number"},
}
RULES: dict[str, Any] = {
    "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
    "POST /things": {"rule": "one", "key": "body.id", "locate": "thing"},
    "GET /list": {"rule": "gather", "merge": _MERGE},
    "GET /list/bulk": {"rule": "gather", "merge": _MERGE},
    "GET /list/partial": {
        "rule": "gather",
        "missing": {"answer": "partial"},
        "deadline_s": DEADLINE_S,
        "merge": _MERGE,
    },
    "GET /list/quorum": {"rule": "gather", "missing": {"quorum": 3}, "deadline_s": DEADLINE_S, "merge": _MERGE},
    "POST /everyone": {
        "rule": "every",
        "assign": {"id": "hex"},
        "check": "/everyone/{id}",
        "undo": {"method": "DELETE", "path": "/everyone/{id}"},
    },
}
