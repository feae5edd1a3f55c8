"""A process that loads the gateway (`proof.chaos.load`), as others start it, tell it what to do, and hear of it."""

import asyncio
import time
from collections.abc import Mapping
from math import inf
from pathlib import Path

import msgspec

from proof.chaos.heard import HeardProcess
from proof.chaos.record import Batch, Record


class LoadProcess(HeardProcess):
    """One process; it sends nothing until it is told to."""

    def __init__(self, port: int, ca: Path | None = None) -> None:
        """`ca`: the authority that has signed the gateway's certificate; None: it has none."""
        super().__init__("proof.chaos.load", str(port), *([] if ca is None else [str(ca)]))
        self.records: list[Record] = []
        """What is over."""
        self._oldest_s = inf

    async def ask(self, rates: Mapping[str, float]) -> None:
        """Ask at these rates from now on."""
        await self.tell(msgspec.json.encode(dict(rates)) + b"\n")

    async def answered(self, until_s: float) -> None:
        """Wait until everything that was due before this instant is over, and told."""
        await asyncio.sleep(max(0.0, until_s - time.monotonic()) + 0.25)
        while self._oldest_s < until_s:  # noqa: ASYNC110 - told ten times a second
            await asyncio.sleep(0.05)

    def since(self, instant: float) -> list[Record]:
        """The records of what was due from then on."""
        return [each for each in self.records if each.at_s >= instant]

    def heard(self, line: bytes) -> None:
        """What is over since the last line."""
        batch = msgspec.json.decode(line, type=Batch)
        self.records += batch.records
        self._oldest_s = inf if batch.oldest_s is None else batch.oldest_s
