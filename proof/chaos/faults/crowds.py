"""Too much at once: what can be answered is answered, and the rest is refused at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from math import ceil
from typing import NamedTuple

from proof.chaos.fault import ALL, Fault, Must
from proof.chaos.judged import percentile
from proof.chaos.load import BULK_KIND, GREEDY_KIND, PARTNERS
from proof.chaos.loading import LoadProcess
from proof.chaos.record import PATIENCE_S, Record
from proof.chaos.speed import Speed
from proof.chaos.stage import USUAL, Stage
from proof.chaos.variants import Fair

CLIENTS = (16, 24, 32)
"""So many that send the next request when they have a reply: too few wait for shards most of the time, and of too many
some are refused. The maximum is what those achieve who are answered most, on the mean of all turns."""
MEASURED_S = 1.0
OVERLOAD_S = 20.0
OVERLOADS = 10
"""In so many turns, so that what the machine does meanwhile meets maximum and overload alike. Single seconds at one
number of clients differed by half; with 5 turns, runs of one gateway differed by a tenth of the maximum, with 10 by a
fiftieth."""
PACED_S = 0.5
"""So often the rate of an overload follows the speed of the processor."""
SENT_TIMES_MIN = 2.5
"""Of the maximum: less is another fault. The load may be late by a little."""
BEGINNING_S = 1.0
"""An overload is seen after so long."""
TIMES = 3.0
CALM_S = 2.0
"""Then the gateway takes everything on again."""
PROBED_PER_S = 60.0
"""By the process that refusals are timed by."""
GOODPUT_MIN = 0.9
REFUSED_MS_MAX = 50.0
POLITE = 0.44
"""Of what can be answered: what ten partners together ask; one that is greedy asks as much, ten times its share."""
ALLOWED_SHARES = 7 / 3
"""So many times its share a partner may ask of each worker."""
OTHERS_TIMES_MAX = 1.2
LOOKS = 3
"""At what can be answered: workers that have just begun are slow at first."""
TURNS = 8
TURN_S = 2.0
PART_OF_FIRST = 0.5
"""Of what can be answered: what the better class asks."""
FIRST_ANSWERED_MIN = 0.99
_ASKED = frozenset({"heavy", BULK_KIND})


class _Overload(NamedTuple):
    """What was seen of one."""

    probed: list[Record]
    """Of the second process."""
    spans: list[tuple[float, float]]
    """Of each turn, without its beginning."""
    most: float
    """How many lists are answered in a second without it, by how fast the processor was in those turns."""

    def has(self, instant: float) -> bool:
        """Whether it was measured then."""
        return any(began_at <= instant < ended_at for began_at, ended_at in self.spans)


async def _overloaded(stage: Stage, rates: Callable[[float], dict[str, float]], probed: str) -> _Overload:
    """Ask at these rates, given how many lists are answered in a second at most; in turns with the measure of that.

    Refusals are timed by a second process with little to do, which asks for `probed`: the one that overloads is late
    itself. How late the second one is by its own timers is what the machine takes for a process to run: it is no
    refusal's.
    """
    probe, speed = LoadProcess(stage.port), Speed(stage.variant.its_processor)
    maximum = _Maximum(stage, speed)
    spans: list[tuple[float, float]] = []
    try:
        await probe.start()
        await speed.start()
        probe.bind(stage.variant.others_processors())
        await maximum.look()
        for _ in range(OVERLOADS):
            await probe.ask({probed: PROBED_PER_S})
            spans.append(await _one_overload(stage, maximum, rates))
            await probe.ask({})
            await stage.load({})
            await stage.answered(spans[-1][1])
            await probe.answered(spans[-1][1])
            await asyncio.sleep(CALM_S)
            await maximum.look()
        most = sum(maximum.between(*span) for span in spans) / OVERLOADS
    finally:
        await probe.stop()
        await speed.stop()
    await stage.load(USUAL)
    return _Overload(probe.records, spans, most)


async def _one_overload(
    stage: Stage, maximum: "_Maximum", rates: Callable[[float], dict[str, float]]
) -> tuple[float, float]:
    """When it was measured. What is asked follows the speed of the processor: it is as many times what it can do."""
    began_at = time.monotonic() + BEGINNING_S
    ended_at = began_at + OVERLOAD_S / OVERLOADS
    while (instant := time.monotonic()) < ended_at:
        await stage.load(rates(maximum.now))
        await asyncio.sleep(min(PACED_S, ended_at - instant))
    return began_at, time.monotonic()


@asynccontextmanager
async def _overload(stage: Stage) -> AsyncIterator[None]:
    _judge_overload(stage, await _overloaded(stage, lambda most: {"heavy": TIMES * most}, "heavy"))
    yield


def _judge_overload(stage: Stage, seen: _Overload) -> None:
    seconds = sum(ended_at - began_at for began_at, ended_at in seen.spans)
    mine = [each for each in [*stage.since(seen.spans[0][0] - BEGINNING_S), *seen.probed] if each.kind in _ASKED]
    goodput = sum(each.word == "ok" and seen.has(each.at_s + each.took_s) for each in mine) / seconds
    probed = [each for each in seen.probed if seen.has(each.at_s)]
    waits = [each.took_s - each.lag_s for each in probed if each.word == "refused"]
    refused_ms, lag_ms = (1000 * percentile(each, 99) for each in (waits, [each.lag_s for each in probed]))
    sent = sum(seen.has(each.at_s) for each in mine) / seconds
    stage.note(
        f"maximum {seen.most:.0f}/s, of {sent:.0f}/s answered {goodput:.0f}/s ({goodput / seen.most:.0%}), refusals p99"
        f" {refused_ms:.0f} ms; a process that waits for a timer was late by {lag_ms:.0f} ms at p99"
    )
    if goodput < GOODPUT_MIN * seen.most:
        stage.find(f"goodput {goodput / seen.most:.0%} of the maximum", is_late=True)
    if refused_ms > REFUSED_MS_MAX + lag_ms:
        stage.find(f"refusals p99 {refused_ms:.0f} ms", is_late=True)
    stage.prove(bool(waits), "nothing was refused")
    stage.prove(sent > SENT_TIMES_MIN * seen.most, f"only {sent / seen.most:.1f} times the maximum was asked")


class _Maximum:
    """How many lists are answered in a second at most, by how fast the processor is.

    Each number of clients is looked at several times; the maximum is the best mean, not the best look, which would be
    the machine's best moment.
    """

    def __init__(self, stage: Stage, speed: Speed) -> None:
        self._stage = stage
        self._speed = speed
        self._seen: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
        """For each number of clients: lists in a second, divided by the speed of the processor then."""

    async def look(self) -> None:
        """Once more at each number of clients."""
        for clients, seen in self._seen.items():
            began_at, ended_at, answered = await _measured(self._stage, clients)
            seen.append(answered / (ended_at - began_at) / self._speed.between(began_at, ended_at))

    @property
    def now(self) -> float:
        """Lists a second, as fast as the processor is."""
        return self._best * self._speed.last

    def between(self, began_at: float, ended_at: float) -> float:
        """Lists a second, as fast as the processor was then."""
        return self._best * self._speed.between(began_at, ended_at)

    @property
    def _best(self) -> float:
        return max(sum(seen) / len(seen) for seen in self._seen.values())


async def _measured(stage: Stage, clients: int) -> tuple[float, float, int]:
    """From when to when, and how many lists were answered meanwhile to so many clients; one at least."""
    kind = "closed heavy"
    await stage.load({kind: clients})
    await asyncio.sleep(0.5)
    began_at = time.monotonic()
    await asyncio.sleep(MEASURED_S)
    ended_at = time.monotonic()
    await stage.load({})
    await stage.answered(ended_at)
    mine = [each for each in stage.since(began_at - PATIENCE_S) if each.kind == kind and each.word == "ok"]
    return began_at, ended_at, max(1, sum(began_at <= each.at_s + each.took_s < ended_at for each in mine))


@asynccontextmanager
async def _greedy(stage: Stage) -> AsyncIterator[None]:
    """In turns, so that what the machine does meanwhile meets both alike."""
    polite = POLITE * await _most(stage)
    allowed = ALLOWED_SHARES * polite / PARTNERS
    await _allow(stage, {"rate_per_s": allowed, "burst": 2 * ceil(allowed)})
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(TURNS):
        alone += await _took_s(stage, {"heavy": polite})
        beside += await _took_s(stage, {"heavy": polite, GREEDY_KIND: polite})
    alone += await _took_s(stage, {"heavy": polite})
    await _allow(stage, Fair.bounds)
    await stage.load(USUAL)
    greedily = [each for each in stage.records if each.kind == GREEDY_KIND]
    refused = sum(each.word == "refused" for each in greedily)
    stage.note(f"ten partners asked {polite:.0f}/s; of the greedy one's {len(greedily)} lists {refused} refused")
    stage.prove(len(greedily) > 0.9 * polite * TURNS * TURN_S, "it asked less than ten times its share")
    stage.prove(refused > 0, "it was within its rate")
    normal, greedy = (1000 * percentile(each, 99) for each in (alone, beside))
    stage.note(f"others' p99: {normal:.0f} ms, {greedy:.0f} ms beside it")
    if greedy > OTHERS_TIMES_MAX * normal:
        stage.find(f"others' p99 is {greedy / normal:.2f} \N{MULTIPLICATION SIGN} theirs without it", is_late=True)
    yield


async def _most(stage: Stage) -> float:
    """How many lists the gateway can answer in a second, where clients are not bound."""
    await _allow(stage, {})
    looks = [await _measured(stage, CLIENTS[0]) for _ in range(LOOKS)]
    return max(answered / (ended_at - began_at) for began_at, ended_at, answered in looks)


async def _allow(stage: Stage, bounds: Mapping[str, float]) -> None:
    """What one client may ask from now on."""
    stage.gateway.write(clients={"bounds": dict(bounds)})
    await stage.reload()


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
    first = [each for each in stage.since(seen.spans[0][0]) if each.kind == "heavy" and seen.has(each.at_s)]
    answered = sum(each.word == "ok" for each in first) / max(1, len(first))
    stage.note(f"of the better class {answered:.1%} answered")
    if answered < FIRST_ANSWERED_MIN:
        stage.find(f"of the better class {answered:.1%} answered", is_late=True)
    _judge_overload(stage, seen)
    yield


OVERLOAD = Fault(
    name="overload",
    what=f"{TIMES:g} times as many lists as can be answered, for {BEGINNING_S + OVERLOAD_S / OVERLOADS:g} s,"
    f" {OVERLOADS} times",
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
