"""The clock of the machine jumps: nothing that the gateway decides may depend on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.clocked import write_offset
from proof.chaos.fault import Fault, Happening, Must
from proof.chaos.stage import Stage


def _jumped(offset_s: int) -> Happening:
    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        file = stage.folder / "clock"
        write_offset(file, offset_s)
        yield
        write_offset(file, 0.0)

    return run


AHEAD = Fault(
    name="clock ahead",
    what="an hour forward, and back again",
    run=_jumped(3600),
    must=Must(),
    stage="clock",
)
BACK = Fault(
    name="clock back",
    what="an hour back, and forward again",
    run=_jumped(-3600),
    must=Must(),
    stage="clock",
)

FAULTS = (AHEAD, BACK)
