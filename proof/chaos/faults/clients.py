"""What clients do that is unusual and right."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import Fault, Must
from proof.chaos.load import HALF
from proof.chaos.stage import USUAL, Stage

HALF_PER_S = {f"{HALF}read": 20.0, f"{HALF}list": 10.0, f"{HALF}create": 10.0, f"{HALF}every": 2.0}
_SEEN_MIN = 20


@asynccontextmanager
async def _half_closed(stage: Stage) -> AsyncIterator[None]:
    await stage.load({**USUAL, **HALF_PER_S})
    yield
    await stage.load(USUAL)
    seen = [each for each in stage.records if each.kind.startswith(HALF)]
    stage.note(f"{len(seen)} requests of clients that had ended their side")
    stage.prove(len(seen) > _SEEN_MIN, "hardly a client ended its side")


HALF_CLOSED = Fault(
    name="clients end their side",
    what="of the connection, with their request, and read on (`shutdown`, RFC 9112 section 9.6)",
    run=_half_closed,
    must=Must(),
)

FAULTS = (HALF_CLOSED,)
