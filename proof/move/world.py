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

DIVISION: Final[dict[str, Any]] = {
    "tenant": "vendors",
    "reference": ["categories", "clients"],
    "empty": ["tokens", "usage"],
}
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
    """Give tenants more dates, the same on both sides."""
    homes = tenants_of(data)
    for tenant, size in zip(homes, sizes, strict=False):
        home = data.shards[homes[tenant]]
        found = ask(home, "SELECT id FROM events WHERE vendor_id = ? ORDER BY id LIMIT 1", [tenant])
        if not found:
            continue
        row = one_row(home, "dates")
        rows = [
            {
                **row,
                "id": secrets.token_hex(16),
                "event_id": found[0][0],
                "start_date": f"20{30 + n % 60}-01-{1 + n % 28:02}",
            }
            for n in range(size)
        ]
        for place in (data.monolith, home):
            insert(place, "dates", rows)
