"""Faults of one of the two replicas of a shard: nobody should notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import Fault, Happening, Must
from proof.chaos.stage import USUAL, Stage

_LETTER = "n"


@asynccontextmanager
async def _killed(stage: Stage) -> AsyncIterator[None]:
    victim = stage.shards[_LETTER].instances[0]
    victim.kill()
    yield
    stage.prove(victim.is_gone, "something listens at its address")
    victim.start()
    victim.await_ready()


@asynccontextmanager
async def _frozen(stage: Stage) -> AsyncIterator[None]:
    victim = stage.shards[_LETTER].instances[0]
    victim.freeze()
    try:
        yield
        stage.prove(victim.is_frozen, "it runs")
    finally:
        victim.thaw()


@asynccontextmanager
async def _flapping(stage: Stage) -> AsyncIterator[None]:
    victim = stage.shards[_LETTER].instances[0]

    deaths = 0

    async def flap() -> None:
        nonlocal deaths
        while True:
            victim.kill()
            deaths += 1
            await asyncio.sleep(0.5)
            victim.start()
            victim.await_ready()
            await asyncio.sleep(0.5)

    flapping = asyncio.get_running_loop().create_task(flap())
    yield
    flapping.cancel()
    stage.note(f"{deaths} deaths")
    stage.prove(deaths > 2, "it died too seldom")
    victim.kill()
    victim.start()
    victim.await_ready()


def _told(mode: str) -> Happening:
    """The replica answers so."""

    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        victim = stage.shards[_LETTER].instances[0]
        victim.tell(mode)
        try:
            yield
            seen = await asyncio.to_thread(victim.answers)
            stage.prove(seen != "well", "it answers well")
        finally:
            victim.tell("well")

    return run


EVERY_PER_S = 10.0
"""A replica that fails is asked less: of the usual changes of all, few would meet it."""


@asynccontextmanager
async def _giving_up(stage: Stage) -> AsyncIterator[None]:
    await stage.load({**USUAL, "every": EVERY_PER_S})
    try:
        async with _told("gives_up")(stage):
            yield
    finally:
        await stage.load(USUAL)


NEARLY_HTTP = {
    "chunks": "a chunk whose size is no number",
    "colon": "a line of the head without a colon",
    "lengths": "two fields Content-Length that differ",
    "banner": "a line of its own before each connection's first reply",
}
"""Mode of an instance → what it sends."""

IN_DOUBT = {"create": 5, "every": 5}
"""A change that was sent to a replica which then died is sent to no other: its client reads that it is in doubt."""

_CHANGES_PASSED_ON = frozenset({"create failed", "every failed"})
"""A change that was answered 503 is sent to no other: its client reads the reply."""

KILLED = Fault(
    name="replica killed",
    what="SIGKILL; started again",
    run=_killed,
    must=Must(refused=IN_DOUBT, extra_percent=5.0),
    quick=True,
)
FROZEN = Fault(
    name="replica frozen",
    what="SIGSTOP; SIGCONT",
    run=_frozen,
    must=Must(refused={"create": 20, "every": 20}, clean_s=3.0, extra_percent=5.0),
    hold_s=8.0,
)
SLOW = Fault(
    name="replica slow",
    what="it takes 10 times as long",
    run=_told("slow 10"),
    must=Must(extra_percent=5.0),
    hold_s=8.0,
)

FAULTS = (
    KILLED,
    Fault(
        name="replica away for long",
        what="SIGKILL; started again 15 s later",
        run=_killed,
        must=Must(refused=IN_DOUBT, extra_percent=5.0),
        hold_s=15.0,
    ),
    Fault(
        name="replica flapping",
        what="killed and started again, every second",
        run=_flapping,
        must=Must(refused={"create": 10, "every": 10}),
        hold_s=6.0,
    ),
    FROZEN,
    SLOW,
    Fault(
        name="replica drips",
        what="heads at once, bodies at 10 bytes a second",
        run=_told("drip"),
        must=Must(refused={"list": 10, "every": 10}),
        hold_s=8.0,
    ),
    Fault(
        name="replica refuses",
        what="its port is closed, its connections are reset",
        run=_told("refuse"),
        must=Must(refused=IN_DOUBT, extra_percent=5.0),
    ),
    Fault(
        name="replica resets",
        what="half of each body, then a reset",
        run=_told("reset"),
        must=Must(lost=30, refused={"create": 15, "every": 15, "list": 15}),
    ),
    Fault(
        name="replica says garbage",
        what="bytes that are no HTTP",
        run=_told("garbage"),
        must=Must(refused={"create": 15, "every": 15}),
        quick=True,
    ),
    *(
        Fault(
            name=f"replica says {mode}",
            what=f"nearly HTTP: {what}",
            run=_told(mode),
            must=Must(refused={"create": 15, "every": 15}),
        )
        for mode, what in NEARLY_HTTP.items()
    ),
    Fault(
        name="replica closes",
        what="each connection after one reply, 10 ms later, without saying so",
        run=_told("closes"),
        # RFC 9110 section 9.2.2: a change that met the end of its connection may have been made, and is not sent again.
        must=Must(refused={"create": 15, "every": 15}),
        hold_s=6.0,
    ),
    Fault(
        name="replica browns out",
        what="503 with Retry-After and nothing done, each time; its health check says that all is well",
        run=_told("brownout"),
        must=Must(also=_CHANGES_PASSED_ON, refused={"every": 15}, extra_percent=5.0),
        hold_s=8.0,
    ),
    Fault(
        name="replica browns out, half",
        what="503 with Retry-After and nothing done, every other time",
        run=_told("flaky"),
        must=Must(also=_CHANGES_PASSED_ON, refused={"every": 30}, extra_percent=10.0),
        hold_s=8.0,
    ),
    Fault(
        name="replica's router gives up",
        what="503 without Retry-After, every other time, though what was asked is done",
        run=_giving_up,
        must=Must(also=_CHANGES_PASSED_ON, refused={"every": 30}, extra_percent=10.0),
        hold_s=8.0,
    ),
    Fault(
        name="replica answers 500",
        what="its own failure, each time",
        run=_told("error"),
        must=Must(lost=30, refused={"list": 15, "every": 15}),
    ),
    Fault(
        name="replica not ready",
        what="it listens; its health check says 503, and requests wait",
        run=_told("unready"),
        must=Must(refused={"create": 20, "every": 20}, clean_s=3.0),
        hold_s=7.0,
    ),
)
