"""Moves tenants while clients read, then while clients change; compares all the time, and counts at the end."""

import random
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from proof.data import Data
from proof.fleet import Fleet
from proof.move.moving import MovingProcess
from proof.move.readers import Readers
from proof.move.world import lost_and_doubled, places_of, running_world, tenants_of
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


def run(folder: Path, *, scale: float, moves: int, sizes: list[int], seed: int) -> Result:
    """`moves` movements: half while clients read, half while they change."""
    result = Result()
    with running_world(scale, 3, folder, sizes) as (fleet, data):
        chance = random.Random(seed)
        moving = MovingProcess(fleet.config)
        try:
            _under_reads(fleet, data, moving, moves // 2, chance, result)
            _under_changes(fleet, data, moving, moves - moves // 2, chance, result, seed)
        finally:
            moving.end()
        lost, doubled = lost_and_doubled(data)
        result.lost, result.doubled = lost, doubled
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
        for number in count():
            if done.is_set():
                return
            seeds = range(seed + 3 * number, seed + 3 * number + 3)
            across = histories.serves_orders_across()
            found = histories.compare(fleet.monolith.url, fleet.gateway.url, seeds, across=across)
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


def _move(data: Data, moving: MovingProcess, tenant: str, chance: random.Random, result: Result) -> bool:
    """One movement to a shard by chance; whether it was made."""
    home = tenants_of(data)[tenant]
    target = chance.choice([name for name in data.shards if name != home])
    told = moving.move(tenant, target)
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
    with closing(sqlite3.connect(data.monolith)) as database:
        return [key for (key,) in database.execute("SELECT id FROM events ORDER BY id LIMIT 100")]
