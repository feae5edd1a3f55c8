"""Faults of the gateway's own workers: the port takes clients all the while."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from proof.chaos.fault import Fault, Must
from proof.chaos.gateway import is_stopped
from proof.chaos.stage import Stage

REPLACED_S = 1.0
_ENDED = "it is replaced"
"""The log says so of each worker that ends."""
SEEN_S = 0.05
"""By then the supervisor has counted who serves."""


@asynccontextmanager
async def _killed(stage: Stage) -> AsyncIterator[None]:
    await _kill(stage, stage.gateway.workers[:1])
    yield


@asynccontextmanager
async def _all_killed(stage: Stage) -> AsyncIterator[None]:
    await _kill(stage, stage.gateway.workers)
    yield


async def _kill(stage: Stage, victims: list[int]) -> None:
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    took_s = await stage.until(
        lambda: len(stage.gateway.workers) == 2 and not {*victims} & {*stage.gateway.workers}, REPLACED_S, "replaced"
    )
    await asyncio.sleep(SEEN_S)
    took_s += SEEN_S + await stage.serving(2, REPLACED_S)
    stage.note(f"replaced in {took_s:.2f} s")


@asynccontextmanager
async def _killed_in_a_loop(stage: Stage) -> AsyncIterator[None]:
    killed: set[int] = set()

    async def kill() -> None:
        while True:
            with suppress(IndexError, ProcessLookupError):
                victim = stage.gateway.workers[0]
                os.kill(victim, signal.SIGKILL)
                killed.add(victim)
            await asyncio.sleep(1.2)

    killing = asyncio.get_running_loop().create_task(kill())
    yield
    killing.cancel()
    stage.note(f"{len(killed)} killed")
    stage.prove(len(killed) > 2, "few workers were killed")


@asynccontextmanager
async def _stopped(stage: Stage) -> AsyncIterator[None]:
    victim = stage.gateway.workers[0]
    os.kill(victim, signal.SIGSTOP)
    stage.prove(is_stopped(victim), "it was not stopped")
    yield
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGCONT)
        if victim in stage.gateway.workers:
            stage.find("the watchdog did not kill it")


@asynccontextmanager
async def _cannot_start(stage: Stage) -> AsyncIterator[None]:
    away = stage.store.with_name("away.db")
    stage.store.rename(away)
    stage.store.mkdir()
    ended = stage.gateway.log.read_text(errors="replace").count(_ENDED)
    os.kill(stage.gateway.workers[0], signal.SIGKILL)
    yield
    ended = stage.gateway.log.read_text(errors="replace").count(_ENDED) - ended
    serve = (await stage.metrics())["shardgate_workers"]
    stage.prove(ended > 1 or serve < 2, "its successor could start")
    stage.store.rmdir()
    away.rename(stage.store)


KILLED = Fault(
    name="worker killed",
    what="SIGKILL of one of two",
    run=_killed,
    must=Must(lost=20, clean_s=0.1),
    quick=True,
)
STOPPED = Fault(
    name="worker stopped",
    what="SIGSTOP of one of two, until the watchdog kills it",
    run=_stopped,
    must=Must(lost=120, refused={"every": 20}, clean_s=4.5, times_from_s=5.0, within_s=6.0),
    hold_s=7.0,
)

FAULTS = (
    KILLED,
    Fault(
        name="all workers killed",
        what="SIGKILL of both",
        run=_all_killed,
        must=Must(lost=40, clean_s=0.1),
    ),
    Fault(
        name="workers killed in a loop",
        what="one of two, every 1.2 s",
        run=_killed_in_a_loop,
        must=Must(lost=100, refused={"every": 20}, times=None, within_s=5.0),
        hold_s=6.0,
    ),
    STOPPED,
    Fault(
        name="worker cannot start",
        what="one is killed, and its successor cannot open the store",
        run=_cannot_start,
        must=Must(lost=20, clean_s=2.0),
        hold_s=7.0,
    ),
)
