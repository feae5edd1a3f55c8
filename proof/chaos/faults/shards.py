"""Faults of a whole shard: its keys and the lists fail, and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import ALL, Fault, Happening, Must
from proof.chaos.stage import DEADLINE_S, USUAL, Stage

LACKING_PER_S = 10.0
"""Lists of each policy."""
_BEFORE_S = 0.5

_LETTER = "s"
_REFUSED = {"its read": ALL, "its create": ALL, "list": ALL, "every": ALL}

_PASSED_ON = frozenset(f"{kind} failed" for kind in _REFUSED)


@asynccontextmanager
async def _gone(stage: Stage) -> AsyncIterator[None]:
    instances = stage.shards[_LETTER].instances
    for instance in instances:
        instance.kill()
    yield
    stage.prove(all(instance.is_gone for instance in instances), "something listens at its addresses")
    for instance in instances:
        instance.start()
        instance.await_ready()


@asynccontextmanager
async def _frozen(stage: Stage) -> AsyncIterator[None]:
    instances = stage.shards[_LETTER].instances
    for instance in instances:
        instance.freeze()
    try:
        yield
        stage.prove(all(instance.is_frozen for instance in instances), "it runs")
    finally:
        for instance in instances:
            instance.thaw()


def _told(mode: str) -> Happening:
    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        for instance in stage.shards[_LETTER].instances:
            instance.tell(mode)
        try:
            yield
            seen = {await asyncio.to_thread(each.answers) for each in stage.shards[_LETTER].instances}
            stage.prove("well" not in seen, "it answers well")
        finally:
            for instance in stage.shards[_LETTER].instances:
                instance.tell("well")

    return run


def _lists_lack_it(fault: Happening) -> Happening:
    """Beside the usual load, lists whose rule lets them lack a shard: each is answered in time, and says so."""

    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        await stage.load({**USUAL, "partial": LACKING_PER_S, "quorum": LACKING_PER_S})
        await asyncio.sleep(_BEFORE_S)
        began_at = time.monotonic()
        async with fault(stage):
            yield
            ended_at = time.monotonic()
        over_at = time.monotonic()
        await stage.load(USUAL)
        await stage.answered(over_at)
        mine = [each for each in stage.since(began_at) if each.kind in {"partial", "quorum"} and each.at_s < ended_at]
        lacking = [each for each in mine if each.is_partial]
        slowest_s = max((each.took_s for each in mine), default=0.0)
        stage.note(f"{len(lacking)} of {len(mine)} lists say what they lack, the slowest after {slowest_s:.2f} s")
        # Whole is one that was sent before the shard had noticed its end, and one that it answered once it was back.
        told = [each for each in mine if each.at_s > began_at + _BEFORE_S and each.at_s + each.took_s < ended_at]
        whole = [each for each in told if each.word == "ok" and not each.is_partial]
        if whole:
            stage.find(f"{len(whole)} lists do not say that a shard is missing")
        if slowest_s > DEADLINE_S:
            stage.find(f"a list took {slowest_s:.1f} s, longer than its deadline")

    return run


_OTHERS_AS_EVER = Must(refused=_REFUSED, times=1.1, times_from_s=0.5, within_s=5.0)
"""Keys of the other shards: 0 failures, and within 10 % of their normal latency."""

GONE = Fault(
    name="shard gone",
    what="both replicas killed; started again",
    run=_gone,
    must=_OTHERS_AS_EVER,
    hold_s=6.0,
    shard=_LETTER,
    quick=True,
)
FROZEN = Fault(
    name="shard frozen",
    what="SIGSTOP of both replicas; SIGCONT",
    run=_frozen,
    must=_OTHERS_AS_EVER,
    hold_s=8.0,
    shard=_LETTER,
)

_NOT_KEYED = {"its create": 10, "list": ALL, "every": ALL}
"""What was sent when the shard died is in doubt; what needs all shards does not wait."""

FAILS_OVER = Fault(
    name="shard fails over",
    what="both replicas killed, started again 2 s later; keyed requests wait",
    run=_gone,
    must=Must(refused=_NOT_KEYED, times=1.1, times_from_s=0.5, within_s=5.0),
    hold_s=2.0,
    stage="waiting",
    shard=_LETTER,
)

FAULTS = (
    GONE,
    FROZEN,
    FAILS_OVER,
    *(
        Fault(
            name=f"{fault.name}, lists may lack it",
            what=f"{fault.what}; lists by `partial` and `quorum: 3` beside strict ones",
            run=_lists_lack_it(fault.run),
            must=Must(refused=_REFUSED, times=None, within_s=DEADLINE_S),
            hold_s=6.0,
            shard=_LETTER,
        )
        for fault in (GONE, FROZEN)
    ),
    Fault(
        name="shard slow",
        what="both replicas take 10 times as long",
        run=_told("slow 10"),
        must=Must(times=1.1, times_from_s=0.5),
        hold_s=6.0,
        shard=_LETTER,
    ),
    Fault(
        name="shard refuses",
        what="both ports are closed, connections are reset",
        run=_told("refuse"),
        must=_OTHERS_AS_EVER,
        shard=_LETTER,
    ),
    Fault(
        name="shard answers 500",
        what="both replicas, each time",
        run=_told("error"),
        must=Must(refused=_REFUSED, also=_PASSED_ON, times=1.1, times_from_s=0.5),
        shard=_LETTER,
    ),
)
