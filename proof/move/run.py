"""Moves tenants while clients read, then while clients change; compares all the time, and counts at the end."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from proof.data import ROOT, Data
from proof.fleet import Fleet
from proof.move.databases import another, ask, url_of
from proof.move.meter import Load, Meter
from proof.move.moving import MovingProcess
from proof.move.readers import Readers
from proof.move.stages import KINDS, Span, Waits, spans_of, waits_of
from proof.move.world import (
    TABLES,
    lost_and_doubled,
    movements_of,
    places_of,
    running_world,
    shard_names,
    tenants_of,
)
from proof.writes import run as histories

Report = Callable[[str, int], None]
"""Says what was done last, and how many movements were made."""

_BYSTANDERS: Final = 4
_PAUSE_S_MAX: Final = 5.0
REFUSED_MAX: Final = 20
"""Movements in a row that are refused before a run ends with an error."""


@dataclass
class Result:
    """What was found."""

    moves: int = 0
    failed: int = 0
    refused: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    """Why movements stood still that were then resumed."""
    differences: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    waits_s: list[tuple[int, float]] = field(default_factory=list)
    """Of each movement: the rows, and how long changes were held."""
    seen_s: list[float] = field(default_factory=list)
    """Of movements whose tenant was changed all the time: how long its slowest change took for a client."""
    slowest: dict[str, float] = field(default_factory=dict)
    """The steps of the movement that held changes longest."""
    others: dict[str, dict[str, Waits]] = field(default_factory=dict)
    """How long bystanders waited: by what they did, then by what a movement did meanwhile."""
    requests: int = 0
    histories: int = 0

    @property
    def holds(self) -> bool:
        """The law holds."""
        return not (self.failed or self.differences or self.lost or self.doubled) and self.moves > 0


def run(  # noqa: PLR0913 - each is one thing of a run
    folder: Path,
    *,
    scale: float,
    moves: int,
    sizes: list[int],
    seed: int,
    comes_and_goes: bool = True,
    controls: bool = False,
    database: str = "sqlite",
    report: Report = lambda *_: None,
) -> Result:
    """`moves` movements: half while clients read, half while they change. `report` is called after each.

    `controls`: after each, a process takes as much of the processors as it did, and moves nothing.
    """
    result = Result()
    with running_world(scale, 3, folder, sizes, database) as (fleet, data):
        chance = random.Random(seed)
        with _Moving(fleet, data, chance, result, report, controls=controls) as moving:
            _under_reads(fleet, moving, moves // 2)
        report("a shard comes, another one goes", len(result.waits_s))
        after = _come_and_go(fleet, data, folder, result) if comes_and_goes else data
        with _Moving(fleet, after, chance, result, report, controls=controls) as moving:
            # Last: what clients have made has other ids on both sides, so that lists are compared row by row then.
            _under_changes(fleet, moving, moves - moves // 2, seed)
        result.lost, result.doubled = lost_and_doubled(after)
    return result


class _Moving:
    """Moves one tenant after the other, and pauses as long as each took; bystanders stay where they are."""

    def __init__(
        self, fleet: Fleet, data: Data, chance: random.Random, result: Result, report: Report, *, controls: bool
    ) -> None:
        self.data = data
        self.spans: list[Span] = []
        """What was done when."""
        self._controls = controls
        self.chance = chance
        self.result = result
        self._report = report
        self._process = MovingProcess(fleet.config)
        tenants = list(tenants_of(data))
        self.bystanders = tenants[-_BYSTANDERS:]
        """Those that do not move."""
        self.tenants = tenants[:-_BYSTANDERS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def load(self, fleet: Fleet, *, changes: bool) -> Load:
        """What bystanders do meanwhile."""
        return Load(fleet.monolith.url, fleet.gateway.url, fleet.token, self.bystanders, changes)

    def move(self, tenant: str, meter: Meter) -> bool:
        """One movement to a shard by chance; whether it was made."""
        began_at = time.monotonic()
        home = tenants_of(self.data)[tenant]
        target = self.chance.choice([name for name in self.data.shards if name != home])
        with meter.moving(tenant) as waits:
            told = self._process.move(tenant, target)
            if told.get("refused") == "MoveFailedError":  # as where the machine is too busy for its fence
                self.result.stalled += told["why"]
                first, told = told, self._process.ask({"resume": True})
                told["points"] = [*first.get("points", []), *told.get("points", [])]
            ended_at = time.monotonic()
        self.spans += spans_of(began_at, ended_at, told.get("points", []))
        self.result.seen_s += [max(waits)] if waits else []
        made = self._judge(tenant, target, told)
        self._report(f"{told.get('rows', 0):,} rows", len(self.result.waits_s))
        took_s = min(_PAUSE_S_MAX, ended_at - began_at)
        time.sleep(took_s)
        if self._controls:
            self._control(told["cpu_s"] / (ended_at - began_at), took_s)
        return made

    def _control(self, share: float, took_s: float) -> None:
        began_at = time.monotonic()
        self._process.burn(share * took_s, took_s)
        self.spans.append(Span("control", began_at, time.monotonic()))
        time.sleep(took_s)

    def _judge(self, tenant: str, target: str, told: dict[str, Any]) -> bool:
        result = self.result
        if "rows" in told:
            result.moves += 1
            if told["held_s"] >= max((held_s for _, held_s in result.waits_s), default=0.0):
                result.slowest = told["steps_s"]
            result.waits_s.append((told["rows"], told["held_s"]))
            places = places_of(self.data, tenant)
            if places != [target]:
                result.differences.append(f"{tenant} is on {places} after it was moved to {target}")
            return True
        why = "; ".join(told.get("why", [str(told)]))
        if told.get("refused") != "MoveRefusedError":
            result.differences.append(f"the movement of {tenant} to {target} failed: {why}")
        else:
            result.refused.append(why)
        return False


def _under_reads(fleet: Fleet, moving: _Moving, moves: int) -> None:
    with fleet.client(fleet.gateway):
        token = fleet.token
    every = list(tenants_of(moving.data))
    with (
        Readers(fleet, token, every, _some_events(moving.data), 3, rest_s=0.1) as readers,
        Meter(moving.load(fleet, changes=False)) as meter,
    ):
        for number in range(moves):
            moving.move(moving.tenants[number % len(moving.tenants)], meter)
    _count(moving, readers, meter, "under reads")


def _under_changes(fleet: Fleet, moving: _Moving, moves: int, seed: int) -> None:
    done = threading.Event()
    result = moving.result

    def change() -> None:
        seeds, across = range(seed, seed + 100_000), histories.serves_orders_across()
        found = histories.compare(fleet.monolith.url, fleet.gateway.url, seeds, across=across, enough=done.is_set)
        result.histories += found.histories
        result.requests += sum(found.statuses.values())
        result.differences += [f"history {which}: {told}" for which, told in found.differences]

    clients = threading.Thread(target=change)
    clients.start()
    try:
        with Meter(moving.load(fleet, changes=True)) as meter:
            moves = make_movements(
                lambda: moving.move(moving.chance.choice(moving.tenants), meter), moves, clients.is_alive
            )
    finally:
        done.set()
        clients.join()
    _count(moving, None, meter, "under changes")
    if moves:
        last = f"; the last one that was refused: {result.refused[-1]}" if result.refused else ""
        result.differences.append(f"{moves} movements were not made, as all were refused or the clients ended{last}")


def make_movements(move: Callable[[], bool], moves: int, goes_on: Callable[[], bool]) -> int:
    """So many movements; one that is refused is made up for, but not for ever. Returns how many were not made."""
    refused = 0
    while moves and refused < REFUSED_MAX and goes_on():
        made = move()
        moves -= made
        refused = 0 if made else refused + 1
    return moves


def _count(moving: _Moving, readers: Readers | None, meter: Meter, when: str) -> None:
    result = moving.result
    if readers is not None:
        result.requests += sum(readers.statuses.values())
        result.failed += sum(count for status, count in readers.statuses.items() if status >= 500)
        result.differences += readers.differences
    result.requests += len(meter.asked)
    result.failed += len(meter.failures)
    result.differences += meter.failures
    for kind in KINDS:
        if found := waits_of(meter.asked, moving.spans, kind):
            result.others[f"{kind} {when}"] = found


def _come_and_go(fleet: Fleet, data: Data, folder: Path, result: Result) -> Data:
    """A shard comes, and is filled; another one is emptied, and goes. Clients read all the time."""
    new, old = shard_names(4)[-1], next(iter(data.shards))
    place = another(data.shards[old], new, folder)
    more = Data(data.monolith, {**data.shards, new: place}, data.directory)
    less = Data(data.monolith, {name: path for name, path in more.shards.items() if name != old}, data.directory)
    token = fleet.token
    _command(fleet, "shard", "add", new, "--database", f"{new}={url_of(place)}")
    fleet.add(new, more.shards[new])
    with Readers(fleet, token, list(tenants_of(data)), _some_events(data), 2) as readers:
        fleet.reload(movements_of(more), more.shards)
        _command(fleet, "shard", "add", new)
        before = Counter(tenants_of(data).values())
        _command(fleet, "rebalance", "--apply")
        filled = Counter(tenants_of(data).values())
        _command(fleet, "shard", "drain", old)
        _command(fleet, "shard", "remove", old)
        fleet.reload(movements_of(less), less.shards)
    emptied = Counter(tenants_of(data).values())
    fleet.remove(old)
    if not filled[new]:
        result.differences.append(f"{new} was added, and got no tenant: {dict(before)}, then {dict(filled)}")
    if emptied[old]:
        result.differences.append(f"{old} was drained, and has {emptied[old]} tenants")
    result.moves += filled[new] + filled[old]
    result.requests += sum(readers.statuses.values())
    result.failed += sum(count for status, count in readers.statuses.items() if status >= 500)
    result.differences += readers.differences
    if any(_rows(more.shards[old], table) for table in TABLES):
        result.differences.append(f"{old} was drained, and has rows")
    return less


def _command(fleet: Fleet, *words: str) -> None:
    """Run a command of shardgate."""
    done = subprocess.run(
        [sys.executable, "-m", "shardgate", *words, "-c", str(fleet.config)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"shardgate {' '.join(words)}: {done.stdout}{done.stderr}")


def _rows(path: str, table: str) -> int:
    return int(ask(path, f"SELECT count(*) FROM {table}")[0][0])


def _some_events(data: Data) -> list[str]:
    return [key for (key,) in ask(data.monolith, "SELECT id FROM events ORDER BY id LIMIT 100")]
