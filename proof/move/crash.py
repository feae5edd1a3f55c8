"""`make move-crash`: the mover, the gateway and a shard are killed at each phase of a movement; it ends whole.

Whole: the tenant is on one shard, the one that the directory names; no row is lost or doubled; nothing is left behind;
the gateway answers as the monolith does.
"""

import argparse
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx

from proof.compare import difference
from proof.data import CACHE, Data
from proof.fleet import Fleet
from proof.move.databases import ask, is_url
from proof.move.moving import POINTS, MovingProcess
from proof.move.world import lost_and_doubled, places_of, running_world, tenants_of

VICTIMS: Final = ("mover", "gateway", "source", "target")
_LISTS: Final = (
    "/v3/vendors?order=name&limit=100&with_count=true",
    "/v3/events?order=-name&limit=50&with_count=true",
    "/v3/dates?order=start_date&limit=50&with_count=true",
    "/v3/reports/sales?group_by=month",
)
_LEFT_IN_SQLITE: Final = "SELECT name FROM sqlite_master WHERE name LIKE '~_shardgate%' ESCAPE '~'"
_LEFT_IN_POSTGRESQL: Final = """SELECT relname::text FROM pg_class WHERE relname ^@ '_shardgate'
    UNION SELECT tgname::text FROM pg_trigger WHERE tgname ^@ '_shardgate'
    UNION SELECT proname::text FROM pg_proc WHERE proname ^@ '_shardgate'"""


def main() -> None:
    """Kill at each point, and count."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="the mover alone")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="the shards' databases")
    given = options.parse_args()
    findings = run(CACHE / "move-crash", VICTIMS[:1] if given.quick else VICTIMS, POINTS, given.db)
    for name, found in findings.items():
        for each in found:
            print(f"{name}: {each[:300]}")
    whole = sum(not found for found in findings.values())
    print(f"move-crash: {len(findings)} points, {whole} whole")
    sys.exit(whole != len(findings))


def run(
    folder: Path, victims: tuple[str, ...], points: tuple[str, ...] = POINTS, database: str = "sqlite"
) -> dict[str, list[str]]:
    """What was found at each point: nothing, where all is whole."""
    findings: dict[str, list[str]] = {}
    with running_world(0.02, 3, folder, [2000], database) as (fleet, data):
        with fleet.client(fleet.monolith):  # which gives so many tokens an hour
            pass
        for victim in victims:
            for number, point in enumerate(points):
                tenant = list(tenants_of(data))[number % 5]
                findings[f"{victim} at {point}"] = _killed(fleet, data, victim, point, tenant)
    return findings


def _killed(fleet: Fleet, data: Data, victim: str, point: str, tenant: str) -> list[str]:
    home = tenants_of(data)[tenant]
    target = next(name for name in data.shards if name != home)
    asked: dict[str, Any] = {"move": [tenant], "to": target, "point": point}
    moving = MovingProcess(fleet.config)
    try:
        if victim == "mover":
            told = moving.ask({**asked, "how": "die"})
            found = [] if told.get("killed") else [f"the mover was not killed: {told}"]
            found += _reads(fleet, tenant)
        else:
            told = moving.ask({**asked, "how": "stop"})
            found = [] if told.get("at") == point else [f"the mover did not come there: {told}"]
            _kill(fleet, victim, home, target)
            told = moving.ask({})
            if victim == "gateway":
                fleet.gateway.start()
            else:
                fleet.shards[home if victim == "source" else target].start()
        found += _resumed(fleet, told)
    finally:
        moving.end()
    return found + _whole(fleet, data, tenant)


def _kill(fleet: Fleet, victim: str, home: str, target: str) -> None:
    if victim != "gateway":
        fleet.shards[home if victim == "source" else target].kill()
        return
    workers = [int(each.name) for each in Path("/proc").iterdir() if _parent(each) == fleet.gateway.pid]
    fleet.gateway.kill()
    for worker in workers:
        os.kill(worker, signal.SIGKILL)


def _resumed(fleet: Fleet, told: dict[str, Any]) -> list[str]:
    """Go on, where the movement is not over."""
    if told.get("phase") == "done":
        return []
    moving = MovingProcess(fleet.config)
    try:
        told = moving.ask({"resume": True})
    finally:
        moving.end()
    return [] if told.get("phase") == "done" or "no movement" in str(told) else [f"it was not resumed: {told}"]


def _reads(fleet: Fleet, tenant: str) -> list[str]:
    """While nobody goes on with a movement, a read of the tenant itself is answered."""
    return _compared(fleet, [f"/v3/vendors/{tenant}", f"/v3/vendors/{tenant}/events?limit=5"])


def _whole(fleet: Fleet, data: Data, tenant: str) -> list[str]:
    places, home = places_of(data, tenant), tenants_of(data)[tenant]
    found = [] if places == [home] else [f"the tenant is on {places}, and the directory says {home}"]
    if lost_and_doubled(data) != (0, 0):
        found.append("{} rows are lost, {} are doubled".format(*lost_and_doubled(data)))
    for name, path in data.shards.items():
        if left := ask(path, _LEFT_IN_POSTGRESQL if is_url(path) else _LEFT_IN_SQLITE):
            found.append(f"{name} still has {left}")
    with closing(sqlite3.connect(data.directory)) as store:
        if store.execute("SELECT 1 FROM movements WHERE ended_at = 0").fetchall():
            found.append("the movement is not over")
    return found + _compared(fleet, [f"/v3/vendors/{tenant}", f"/v3/vendors/{tenant}/orders?limit=20", *_LISTS])


def _compared(fleet: Fleet, paths: list[str]) -> list[str]:
    with (
        httpx.Client(base_url=fleet.monolith.url, timeout=60) as monolith,
        httpx.Client(base_url=fleet.gateway.url, timeout=60) as gateway,
    ):
        headers = {"Authorization": f"Bearer {fleet.token}"}
        pairs = [(path, monolith.get(path, headers=headers), gateway.get(path, headers=headers)) for path in paths]
    return [f"GET {path}: {found}" for path, want, got in pairs if (found := difference(want, got)) is not None]


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


if __name__ == "__main__":
    main()
