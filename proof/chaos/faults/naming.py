"""Faults of DNS: the shards have names, and a name server of our own answers for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import Fault, Happening, Must
from proof.chaos.names import DOMAIN, Mode
from proof.chaos.stage import Stage

_LETTER = "w"
_OLD_LEAVES_S = 7.0
"""After a change of the name: longer than a name is remembered."""


def _answering(mode: Mode) -> Happening:
    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        before = stage.names.asked
        stage.names.mode = mode
        yield
        stage.prove(stage.names.asked > before, "nobody asked for a name meanwhile")
        stage.names.mode = "well"

    return run


@asynccontextmanager
async def _changed(stage: Stage) -> AsyncIterator[None]:
    """A new instance takes the name; the old one ends when nobody should know it any more."""
    shard = stage.shards[_LETTER]
    old, new, name = shard.instances[0], shard.spare, f"{shard.instances[0].name}.{DOMAIN}"
    new.start()
    new.await_ready()
    stage.names.addresses[name] = [new.address]
    await asyncio.sleep(_OLD_LEAVES_S)
    old.kill()
    yield
    stage.prove(new.has_connections(), "nobody is connected to the new address")
    old.start()
    old.await_ready()
    stage.names.addresses[name] = [old.address]
    await asyncio.sleep(_OLD_LEAVES_S)
    new.kill()


_AS_EVER = Must()

CHANGES = Fault(
    name="name changes",
    what="another address, and the old instance is killed 7 s later; and back",
    run=_changed,
    must=Must(refused={"create": 5, "every": 5}),
    hold_s=2.0,
    stage="names",
)
SILENT = Fault(
    name="name server silent",
    what="it answers nothing",
    run=_answering("silent"),
    must=_AS_EVER,
    hold_s=8.0,
    stage="names",
)

FAULTS = (
    CHANGES,
    Fault(
        name="names empty",
        what="answers without an address",
        run=_answering("empty"),
        must=_AS_EVER,
        hold_s=8.0,
        stage="names",
    ),
    SILENT,
    Fault(
        name="name server fails",
        what="it answers SERVFAIL",
        run=_answering("failing"),
        must=_AS_EVER,
        hold_s=8.0,
        stage="names",
    ),
)
