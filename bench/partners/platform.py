"""What the load needs of a platform: something to book before it, and no booking left after it."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import msgspec

from bench.partners.filling import Pool
from bench.processes import Cores, tree
from proof.data import CACHE, prepare
from proof.fleet import Fleet, token

SHARDS = 3
TIMEOUT_S = 60.0
SETTLE_S = 60.0
DATES = 3000
_PAGE = 1000
_AFTER = (30, 90, 365)
_OFFSET_MARGIN = 200
_AT_ONCE = 4
_QUICK_S = 0.5
_ENDED = {"CANCELLED", "EXPIRED"}


class Target(msgspec.Struct, frozen=True):
    """Where the load goes."""

    url: str
    token: str
    access_log: Path | None
    """The gateway's, where it can be read."""


@contextmanager
def here(scale: float) -> Iterator[Target]:
    """The gateway over three shards on this machine. With two cores or more it has one for itself, as it has a machine
    for itself elsewhere; shards and load share the others."""
    folder = CACHE / "partners"
    data = prepare(scale, SHARDS).copy(folder)
    log = folder / "access.log"
    with Fleet(data, folder, calls_a_month=10**9, settings={"access_log": str(log)}) as fleet:
        if (cores := Cores.of_this_machine()) is not None:
            others = os.sched_getaffinity(0) - {*cores.gateway}
            for server in fleet.shards.values():
                _pin(server.pid, others)
            _pin(fleet.gateway.pid, {*cores.gateway})
            _pin(os.getpid(), others)
        with httpx.Client(base_url=fleet.gateway.url, timeout=TIMEOUT_S) as client:
            given = token(client, "marketplace")
        yield Target(fleet.gateway.url, given, log)


def _pin(pid: int, cores: set[int]) -> None:
    """All threads of a process and of those below it."""
    for each in tree(pid):
        for thread in Path(f"/proc/{each}/task").glob("*"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def pool_of(client: httpx.Client) -> Pool:
    """Dates with free seats of active products. Raises RuntimeError where there is none."""
    dates: list[dict[str, str]] = []
    active = {row["id"] for row in _rows(client, "/v3/events?fields=id,active&order=id") if row["active"]}
    for offset in range(0, DATES, _PAGE):
        page = _rows(client, f"/v3/dates?available=true&order=start_date&limit={_PAGE}&offset={offset}")
        dates += [_record(row) for row in page if row["event_id"] in active and row["capacity"] - row["booked"] >= 4]
        if len(page) < _PAGE:
            break
    if not dates:
        raise RuntimeError("the platform has no date with free seats")
    counted = client.get("/v3/events?limit=1&with_count=true").raise_for_status()
    events = int(counted.headers["X-Total_Count"])
    return Pool(dates, max(0, events - _OFFSET_MARGIN), f"partner-load-{token_hex(4)}")


def settle(client: httpx.Client) -> None:
    """Wait until the platform has worked off what was asked of it: a list of all shards is quick again."""
    deadline_at = time.monotonic() + SETTLE_S
    while not _is_quick(client) and time.monotonic() < deadline_at:
        time.sleep(1)


def _is_quick(client: httpx.Client) -> bool:
    began = time.monotonic()
    try:
        whole = all(client.get(f"/v3/{name}?limit=1").is_success for name in ("categories", "events"))
    except httpx.TransportError:
        return False
    return whole and time.monotonic() - began < _QUICK_S


def give_back(client: httpx.Client, pool: Pool) -> tuple[int, int]:
    """Cancel what the load left booked. Returns how many there were, and how many could not be cancelled.

    Raises httpx.HTTPError where the platform does not say what there is.
    """
    settle(client)
    found = _rows(client, f"/octo/bookings?resellerReference={pool.reference}")
    left = [booking["uuid"] for booking in found if booking["status"] not in _ENDED]

    def cancel(uuid: str) -> bool:
        return client.post(f"/octo/bookings/{uuid}/cancel", json={}).status_code == 200

    with ThreadPoolExecutor(_AT_ONCE) as several:
        return len(left), list(several.map(cancel, left)).count(False)


def _record(row: dict[str, Any]) -> dict[str, str]:
    day = date.fromisoformat(row["start_date"])
    later = {f"day+{days}": (day + timedelta(days=days)).isoformat() for days in _AFTER}
    return {"date": row["id"], "event": row["event_id"], "day": day.isoformat(), **later}


def _rows(client: httpx.Client, target: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(target).raise_for_status().json()
    return found
