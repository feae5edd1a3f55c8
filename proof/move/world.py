"""The world of the proof: a monolith, its shards, a gateway of two workers, and tenants of many sizes."""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from proof.data import NAMES, Data, prepare
from proof.fleet import Fleet
from proof.move.databases import ask, insert, one_row, url_of
from proof.postgres import prepared
from shardgate.store.opening import open_store

DIVISION: Final[dict[str, Any]] = {
    "tenant": "vendors",
    "reference": ["categories", "clients"],
    "empty": ["tokens", "usage"],
}
_SMALL: Final = 300
"""Seeded tenants have more rows than this."""
# What is no more on one shard than on another, by tables of the platform; a row that several shards have as parts of
# one entity is none of them.
TABLES: Final = ("vendors", "events", "dates", "coupons", "vouchers", "users", "tickets", "payments")


@contextmanager
def running_world(
    scale: float, shards: int, folder: Path, sizes: Sequence[int], database: str = "sqlite"
) -> Iterator[tuple[Fleet, Data]]:
    """Start everything; of the tenants some have as many rows as `sizes` says."""
    with ExitStack() as stack:
        if database == "sqlite":
            data = prepare(scale, shards).copy(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            data = stack.enter_context(prepared(scale, shards))
        _enlarge(data, sizes)
        yield stack.enter_context(Fleet(data, folder, workers=2, settings=movements_of(data))), data


def movements_of(data: Data) -> dict[str, Any]:
    """What the configuration says of the databases."""
    urls = {name: url_of(place) for name, place in data.shards.items()}
    return {"movements": {**DIVISION, "databases": urls}}


def tenants_of(data: Data) -> dict[str, str]:
    """Tenant → shard, as the directory says."""
    with closing(sqlite3.connect(data.directory)) as store:
        return dict(store.execute("SELECT key, shard FROM directory WHERE space = 'vendors' ORDER BY key"))


def places_of(data: Data, tenant: str) -> list[str]:
    """The shards that have the tenant's own row."""
    return [name for name, path in data.shards.items() if _has(path, tenant)]


def lost_and_doubled(data: Data) -> tuple[int, int]:
    """Over all tables: rows that no shard has though the monolith has more; rows that several shards have."""
    lost = doubled = 0
    for table in TABLES:
        counts: dict[str, int] = {}
        for path in data.shards.values():
            for key in _ids(path, table):
                counts[key] = counts.get(key, 0) + 1
        doubled += sum(count - 1 for count in counts.values())
        lost += max(0, len(_ids(data.monolith, table)) - len(counts))
    return lost, doubled


def shard_names(count: int) -> tuple[str, ...]:
    """The names of shards."""
    return NAMES[:count]


def _has(place: str, tenant: str) -> bool:
    return bool(ask(place, "SELECT 1 FROM vendors WHERE id = ?", [tenant]))


def _ids(place: str, table: str) -> list[str]:
    return [key for (key,) in ask(place, f"SELECT id FROM {table}")]


def _enlarge(data: Data, sizes: Sequence[int]) -> None:
    """Give tenants so many dates more, the same on both sides; small sizes are tenants of their own."""
    homes = tenants_of(data)
    old = iter([each for each in homes if _first_event(data.shards[homes[each]], each) is not None])
    for number, size in enumerate(sizes):
        tenant = next(old) if size >= _SMALL else _new_tenant(data, list(homes.items())[number % len(homes)])
        home = homes.get(tenant) or tenants_of(data)[tenant]
        dates = one_row(data.shards[home], "dates")
        event = _first_event(data.shards[home], tenant)
        rows = [
            {
                **dates,
                "id": secrets.token_hex(16),
                "event_id": event,
                "booked": 0,
                "start_date": f"20{30 + n % 60}-01-{1 + n % 28:02}",
            }
            for n in range(size)
        ]
        for place in (data.monolith, data.shards[home]):
            insert(place, "dates", rows)


def _new_tenant(data: Data, like: tuple[str, str]) -> str:
    """A tenant with one event, beside another one."""
    old, home = like
    vendor = {**one_row(data.shards[home], "vendors WHERE id = ?", [old]), "id": secrets.token_hex(16)}
    event = {**one_row(data.shards[home], "events"), "id": secrets.token_hex(16)}
    event["vendor_id"] = vendor["id"]
    for table, row in (("vendors", vendor), ("events", event)):
        for place in (data.monolith, data.shards[home]):
            insert(place, table, [row])
    with open_store(data.directory) as store:
        store.put_many("vendors", [(str(vendor["id"]), home)])
    return str(vendor["id"])


def _first_event(place: str, tenant: str) -> str | None:
    found = ask(place, "SELECT id FROM events WHERE vendor_id = ? ORDER BY id LIMIT 1", [tenant])
    return str(found[0][0]) if found else None
