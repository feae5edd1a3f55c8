"""Moves tenants while clients read, then while clients change; compares all the time, and counts at the end."""

import random
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from proof.data import ROOT, Data
from proof.fleet import Fleet
from proof.move.databases import another, ask, url_of
from proof.move.moving import MovingProcess
from proof.move.readers import Readers
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


@dataclass
class Result:
    """What was found."""

    moves: int = 0
    failed: int = 0
    refused: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    waits_s: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    requests: int = 0
    histories: int = 0

    @property
    def holds(self) -> bool:
        """The law holds."""
        return not (self.failed or self.differences or self.lost or self.doubled) and self.moves > 0


def run(
    folder: Path,
    *,
    scale: float,
    moves: int,
    sizes: list[int],
    seed: int,
    comes_and_goes: bool = True,
    database: str = "sqlite",
) -> Result:
    """`moves` movements: half while clients read, half while they change."""
    result = Result()
    with running_world(scale, 3, folder, sizes, database) as (fleet, data):
        chance = random.Random(seed)
        moving = MovingProcess(fleet.config)
        try:
            _under_reads(fleet, data, moving, moves // 2, chance, result)
        finally:
            moving.end()
        after = _come_and_go(fleet, data, folder, result) if comes_and_goes else data
        moving = MovingProcess(fleet.config)
        try:
            # Last: what clients have made has other ids on both sides, so that lists are compared row by row then.
            _under_changes(fleet, after, moving, moves - moves // 2, chance, result, seed)
        finally:
            moving.end()
        result.lost, result.doubled = lost_and_doubled(after)
    return result


def _under_reads(
    fleet: Fleet, data: Data, moving: MovingProcess, moves: int, chance: random.Random, result: Result
) -> None:
    with fleet.client(fleet.gateway):
        token = fleet.token
    tenants = list(tenants_of(data))
    with Readers(fleet, token, tenants, _some_events(data), 3) as readers:
        for number in range(moves):
            _move(data, moving, tenants[number % len(tenants)], chance, result)
    result.requests += sum(readers.statuses.values())
    result.failed += sum(count for status, count in readers.statuses.items() if status >= 500)
    result.differences += readers.differences


def _under_changes(
    fleet: Fleet, data: Data, moving: MovingProcess, moves: int, chance: random.Random, result: Result, seed: int
) -> None:
    done = threading.Event()

    def change() -> None:
        seeds, across = range(seed, seed + 100_000), histories.serves_orders_across()
        found = histories.compare(fleet.monolith.url, fleet.gateway.url, seeds, across=across, enough=done.is_set)
        result.histories += found.histories
        result.requests += sum(found.statuses.values())
        result.differences += [f"history {which}: {told}" for which, told in found.differences]

    clients = threading.Thread(target=change)
    clients.start()
    try:
        while moves and clients.is_alive():
            tenant = chance.choice(list(tenants_of(data)))
            moves -= _move(data, moving, tenant, chance, result)
    finally:
        done.set()
        clients.join()
    if moves:
        result.differences.append(f"the clients ended, and {moves} movements were not made")


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


def _move(data: Data, moving: MovingProcess, tenant: str, chance: random.Random, result: Result) -> bool:
    """One movement to a shard by chance; whether it was made."""
    home = tenants_of(data)[tenant]
    target = chance.choice([name for name in data.shards if name != home])
    told = moving.move(tenant, target)
    if told.get("refused") == "MoveFailedError":  # it stands still, as where the machine is too busy for its fence
        result.refused += told["why"]
        told = moving.ask({"resume": True})
    if "rows" in told:
        result.moves += 1
        result.waits_s.append(told["held_s"])
        result.rows.append(told["rows"])
        places = places_of(data, tenant)
        if places != [target]:
            result.differences.append(f"{tenant} is on {places} after it was moved to {target}")
        return True
    why = "; ".join(told.get("why", [str(told)]))
    if told.get("refused") != "MoveRefusedError":
        result.differences.append(f"the movement of {tenant} to {target} failed: {why}")
    result.refused.append(why)
    return False


def _some_events(data: Data) -> list[str]:
    return [key for (key,) in ask(data.monolith, "SELECT id FROM events ORDER BY id LIMIT 100")]
