"""Faults of a whole shard: its keys and the lists fail, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proof.chaos.fault import ALL, Fault, Happening, Must
from proof.chaos.stage import Stage

_LETTER = "s"
_REFUSED = {"its read": ALL, "its create": ALL, "list": ALL, "every": ALL}

_PASSED_ON = frozenset(f"{kind} failed" for kind in _REFUSED)


@asynccontextmanager
async def _gone(stage: Stage) -> AsyncIterator[None]:
    instances = stage.shards[_LETTER].instances
    for instance in instances:
        instance.kill()
    yield
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
        finally:
            for instance in stage.shards[_LETTER].instances:
                instance.tell("well")

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

FAULTS = (
    GONE,
    FROZEN,
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
