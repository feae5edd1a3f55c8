"""Too much at once: what can be answered is answered, and the rest is refused at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from proof.chaos.fault import ALL, Fault, Must
from proof.chaos.judged import percentile
from proof.chaos.load import BULK_KIND, GREEDY_KIND
from proof.chaos.loading import LoadProcess
from proof.chaos.record import Record
from proof.chaos.stage import USUAL, Stage

CLIENTS = (16, 24, 32)
"""So many that send the next request when they have a reply: too few wait for shards most of the time, and of too many
some are refused. The maximum is what those achieve who are answered most."""
MEASURED_S = 2.0
OVERLOAD_S = 6.0
BEGINNING_S = 1.0
"""An overload is seen after so long."""
TIMES = 3.0
CALM_S = 2.0
"""Then the gateway takes everything on again."""
PROBED_PER_S = 60.0
"""By the process that refusals are timed by."""
GOODPUT_MIN = 0.9
REFUSED_MS_MAX = 50.0
POLITE_PER_S = 150.0
"""Of ten partners together."""
GREEDY_PER_S = 150.0
"""Of one: ten times its share."""
OTHERS_TIMES_MAX = 1.2
TURNS = 4
TURN_S = 2.0
PART_OF_FIRST = 0.5
"""Of what can be answered: what the better class asks."""
FIRST_ANSWERED_MIN = 0.99


class _Overload(NamedTuple):
    """What was seen of one."""

    probed: list[Record]
    """Of the second process."""
    began_at: float
    ended_at: float
    most: float
    """How many lists are answered in a second without it."""


async def _overloaded(stage: Stage, rates: Callable[[float], dict[str, float]], probed: str) -> _Overload:
    """Ask at these rates, given how many lists are answered in a second at most.

    Refusals are timed by a second process with little to do, which asks for `probed`: the one that overloads is late
    itself. How late the second one is by its own timers is what the machine takes for a process to run: it is no
    refusal's.
    """
    probe = LoadProcess(stage.port)
    try:
        await probe.start()
        probe.bind(stage.variant.others_processors())
        before = await _maximum(stage)
        await stage.load(rates(before))
        await probe.ask({probed: PROBED_PER_S})
        await asyncio.sleep(BEGINNING_S)
        began_at = time.monotonic()
        await asyncio.sleep(OVERLOAD_S)
        ended_at = time.monotonic()
        await probe.ask({})
        await stage.load({})
        await stage.answered(ended_at)
        await probe.answered(ended_at)
        await asyncio.sleep(CALM_S)
        after = await _maximum(stage)
    finally:
        await probe.stop()
    await stage.load(USUAL)
    return _Overload(probe.records, began_at, ended_at, (before + after) / 2)


@asynccontextmanager
async def _overload(stage: Stage) -> AsyncIterator[None]:
    _judge_overload(stage, await _overloaded(stage, lambda most: {"heavy": TIMES * most}, "heavy"))
    yield


def _judge_overload(stage: Stage, seen: _Overload) -> None:
    began_at, ended_at, most = seen.began_at, seen.ended_at, seen.most
    mine = [each for each in [*stage.since(began_at), *seen.probed] if each.kind in {"heavy", BULK_KIND}]
    goodput = sum(each.word == "ok" and began_at <= each.at_s + each.took_s < ended_at for each in mine) / OVERLOAD_S
    probed = [each for each in seen.probed if began_at <= each.at_s < ended_at]
    waits = [each.took_s - each.lag_s for each in probed if each.word == "refused"]
    refused_ms, lag_ms = (1000 * percentile(each, 99) for each in (waits, [each.lag_s for each in probed]))
    sent = sum(began_at <= each.at_s < ended_at for each in mine) / OVERLOAD_S
    stage.note(
        f"maximum {most:.0f}/s, of {sent:.0f}/s answered {goodput:.0f}/s ({goodput / most:.0%}), refusals p99"
        f" {refused_ms:.0f} ms; a process that waits for a timer was late by {lag_ms:.0f} ms at p99"
    )
    if goodput < GOODPUT_MIN * most:
        stage.find(f"goodput {goodput / most:.0%} of the maximum", is_late=True)
    if refused_ms > REFUSED_MS_MAX + lag_ms:
        stage.find(f"refusals p99 {refused_ms:.0f} ms", is_late=True)
    if not waits:
        stage.find("nothing was refused")


async def _maximum(stage: Stage) -> float:
    """How many lists are answered in a second at most."""
    return max([await _measured(stage, clients) for clients in CLIENTS])


async def _measured(stage: Stage, clients: int) -> float:
    """How many lists are answered in a second to so many clients."""
    kind = "closed heavy"
    await stage.load({kind: clients})
    await asyncio.sleep(0.5)
    began_at = time.monotonic()
    await asyncio.sleep(MEASURED_S)
    ended_at = time.monotonic()
    await stage.load({})
    await stage.answered(ended_at)
    records = [each for each in stage.since(began_at) if each.kind == kind and each.word == "ok"]
    return max(1.0, sum(each.at_s + each.took_s < ended_at for each in records) / MEASURED_S)


@asynccontextmanager
async def _greedy(stage: Stage) -> AsyncIterator[None]:
    """In turns, so that what the machine does meanwhile meets both alike."""
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(TURNS):
        alone += await _took_s(stage, {"heavy": POLITE_PER_S})
        beside += await _took_s(stage, {"heavy": POLITE_PER_S, GREEDY_KIND: GREEDY_PER_S})
    alone += await _took_s(stage, {"heavy": POLITE_PER_S})
    await stage.load(USUAL)
    normal, greedy = (1000 * percentile(each, 99) for each in (alone, beside))
    stage.note(f"others' p99: {normal:.0f} ms, {greedy:.0f} ms beside it")
    if greedy > OTHERS_TIMES_MAX * normal:
        stage.find(f"others' p99 is {greedy / normal:.2f} \N{MULTIPLICATION SIGN} theirs without it", is_late=True)
    yield


async def _took_s(stage: Stage, rates: dict[str, float]) -> list[float]:
    """What polite requests took."""
    await stage.load(rates)
    await asyncio.sleep(0.5)
    began_at = time.monotonic()
    await asyncio.sleep(TURN_S)
    ended_at = time.monotonic()
    await stage.answered(ended_at)
    return [each.took_s for each in stage.since(began_at) if each.kind == "heavy" and each.at_s < ended_at]


@asynccontextmanager
async def _bulk(stage: Stage) -> AsyncIterator[None]:
    """Half of what can be answered is asked by partners of the better class, and much more by the others."""

    def rates(most: float) -> dict[str, float]:
        return {"heavy": PART_OF_FIRST * most, BULK_KIND: (TIMES - PART_OF_FIRST) * most}

    seen = await _overloaded(stage, rates, BULK_KIND)
    first = [each for each in stage.since(seen.began_at) if each.kind == "heavy" and each.at_s < seen.ended_at]
    answered = sum(each.word == "ok" for each in first) / max(1, len(first))
    stage.note(f"of the better class {answered:.1%} answered")
    if answered < FIRST_ANSWERED_MIN:
        stage.find(f"of the better class {answered:.1%} answered", is_late=True)
    _judge_overload(stage, seen)
    yield


OVERLOAD = Fault(
    name="overload",
    what=f"{TIMES:g} times as many lists as can be answered, for {OVERLOAD_S:g} s",
    run=_overload,
    must=Must(refused={"heavy": ALL, "closed heavy": ALL}, times=None),
    hold_s=0.0,
    stage="busy",
)

FAULTS = (
    OVERLOAD,
    Fault(
        name="overload of one class",
        what=f"{TIMES:g} times as many lists as can be answered, most of them of the less important class",
        run=_bulk,
        must=Must(refused={"heavy": ALL, "closed heavy": ALL, BULK_KIND: ALL}, times=None),
        hold_s=0.0,
        stage="classed",
    ),
    Fault(
        name="greedy partner",
        what="one partner asks ten times its share; a rate is configured",
        run=_greedy,
        must=Must(refused={GREEDY_KIND: ALL}, times=None),
        hold_s=0.0,
        stage="fair",
    ),
)
