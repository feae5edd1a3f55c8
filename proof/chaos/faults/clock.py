"""The clock of the machine jumps: nothing that the gateway decides may depend on it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.clocked import write_offset
from proof.chaos.fault import Fault, Happening, Must
from proof.chaos.stage import Stage

_LOGGED_S = 10.0
"""The last lines of the access log are younger."""


def _jumped(offset_s: int) -> Happening:
    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        file = stage.folder / "clock"
        write_offset(file, offset_s)
        yield
        jumped_to = time.time() + offset_s  # noqa: TID251 - that of the machine
        hours = [time.strftime("T%H:", time.gmtime(jumped_to - ago_s)) for ago_s in (0, _LOGGED_S)]
        stage.prove(any(hour in stage.last_access() for hour in hours), "the access log has the machine's time")
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
