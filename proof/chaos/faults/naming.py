"""Faults of DNS: the shards have names, and a name server of our own answers for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import Fault, Happening, Must
from proof.chaos.names import DOMAIN, Mode
from proof.chaos.stage import Stage
from proof.chaos.variants import served_by, service_of

_LETTER = "w"
_OLD_LEAVES_S = 7.0
"""After a change of the name: longer than a name is remembered."""
_OLD_RECORD_LEAVES_S = 3.0
"""After a change of a service: longer than its records hold, and than one request takes."""


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


@asynccontextmanager
async def _weighed(stage: Stage) -> AsyncIterator[None]:
    """The weights of all instances change twice a second."""
    times = 0

    async def weigh() -> None:
        nonlocal times
        while True:
            times += 1
            for shard in stage.shards.values():
                weights = (1 + times % 5, 5 - times % 5)
                stage.names.services[service_of(shard)] = [
                    served_by(instance, weight) for instance, weight in zip(shard.instances, weights, strict=True)
                ]
            await asyncio.sleep(0.5)

    weighing = asyncio.get_running_loop().create_task(weigh())
    asked = stage.names.asked
    before = (await stage.metrics())["shardgate_replicas_changed_total"]
    yield
    weighing.cancel()
    changed = (await stage.metrics())["shardgate_replicas_changed_total"] - before
    stage.note(f"{times} other weights, of which the gateway noticed {changed:.0f}")
    stage.prove(stage.names.asked > asked and changed > times, "the gateway did not notice other weights")
    for shard in stage.shards.values():
        stage.names.services[service_of(shard)] = [served_by(instance) for instance in shard.instances]


@asynccontextmanager
async def _moved(stage: Stage) -> AsyncIterator[None]:
    """An instance is served at another port; the old one ends when nobody should know it any more. And back."""
    shard = stage.shards[_LETTER]
    old, other = shard.instances
    old_port = old.port
    new = shard.spare
    new.port = 0
    new.start()
    new.await_ready()
    stage.names.services[service_of(shard)] = [served_by(new), served_by(other)]
    await asyncio.sleep(_OLD_RECORD_LEAVES_S)
    old.kill()
    yield
    stage.prove(new.port != old_port and new.has_connections(), "nobody is connected to the new port")
    old.port = 0
    old.start()
    old.await_ready()
    stage.names.services[service_of(shard)] = [served_by(instance) for instance in shard.instances]
    await asyncio.sleep(_OLD_RECORD_LEAVES_S)
    stage.prove(old.has_connections(), "nobody is connected to the port after that")
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

WEIGHED = Fault(
    name="weights change",
    what="SRV records of all instances say other weights, twice a second",
    run=_weighed,
    must=Must(extra_percent=5.0),
    hold_s=8.0,
    stage="services",
)

FAULTS = (
    CHANGES,
    WEIGHED,
    Fault(
        name="ports change",
        what="an SRV record says another port; the old instance is killed 3 s later; and back, at a third port",
        run=_moved,
        must=Must(),
        hold_s=2.0,
        stage="services",
    ),
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
