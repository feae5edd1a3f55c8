"""Runs histories, several at once, and compares between them all that both sides hold.

Holds: a vendor that has a client of its own belongs to one history at a time.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bookings.seed.sizes import CLIENTS_OF_VENDORS
from proof.data import ROOT, prepare
from proof.fleet import Fleet, token
from proof.writes import catalogue, octo, reading, trade
from proof.writes.both import Asked, Both, DifferentError
from proof.writes.history import MARKETPLACE, History, Step, Vendor
from proof.writes.twins import Twins

AT_ONCE = 3
BATCH = 50
STEPS: dict[Step, int] = {**catalogue.STEPS, **trade.STEPS, **octo.STEPS, **reading.STEPS}
_SEEDED = ("categories", "vendors", "events", "dates", "orders", "coupons", "vouchers", "users")
PAGE_ROWS = 100_000
"""As many rows as the application shows where no `limit` is given."""
_BOOKINGS = "/octo/bookings?localDateStart=2000-01-01&localDateEnd=2099-12-31"


@dataclass
class Result:
    """What a run found."""

    histories: int = 0
    checks: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    differences: list[tuple[int, str]] = field(default_factory=list)


def run(
    *,
    seeds: Sequence[int],
    shards: int,
    workers: int,
    scale: float,
    folder: Path,
    report: Callable[[], None] = lambda: None,
    store: str = "",
) -> Result:
    """Start everything, and run a history a seed."""
    with Fleet(prepare(scale, shards).copy(folder), folder, workers=workers, store=store) as fleet:
        return compare(fleet.monolith.url, fleet.gateway.url, seeds, across=serves_orders_across(), report=report)


def compare(
    monolith: str,
    gateway: str,
    seeds: Sequence[int],
    *,
    across: bool,
    report: Callable[[], None] = lambda: None,
    enough: Callable[[], bool] = lambda: False,
) -> Result:
    """The histories at two addresses; none is begun any more once it is `enough`."""
    result = Result()
    with _Sides(monolith, gateway) as sides, ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(seeds), BATCH):
            if enough():
                break
            batch = seeds[start : start + BATCH]

            def history(seed: int) -> tuple[int, str] | None:
                if enough():
                    return None
                result.histories += 1
                return sides.history(seed, across, result.statuses)

            for told in pool.map(history, batch):
                result.differences += [told] if told is not None else []
                report()
            told = sides.check(batch[0])
            result.checks += 1
            result.differences += [told] if told is not None else []
    return result


class _Sides:
    """Both sides, and what is known of them."""

    def __init__(self, monolith: str, gateway: str) -> None:
        self._monolith = httpx.Client(base_url=monolith, timeout=60)
        self._gateway = httpx.Client(base_url=gateway, timeout=60)
        names = [MARKETPLACE, *(f"vendor-{n}" for n in range(1, CLIENTS_OF_VENDORS + 1))]
        # The instances sign with one secret: a token of either side is good on both.
        self._tokens = {name: token(self._monolith, name) for name in names}
        self._twins = Twins()
        self._free = {name: threading.Lock() for name in names[1:]}
        self._lock = threading.Lock()
        self._vendors = [row["id"] for row in self._read("/v3/vendors").json()]
        for text in self._seeds():
            self._twins.know(text)
        self._homes = {name: self._home(name) for name in names[1:]}

    def __enter__(self) -> "_Sides":
        return self

    def __exit__(self, *_: object) -> None:
        self._monolith.close()
        self._gateway.close()

    def history(self, seed: int, across: bool, statuses: Counter[int]) -> tuple[int, str] | None:
        """Run one; what differed."""
        with self._one_client(seed) as name:
            both = self._both()
            history = History(both, seed, across, [Vendor(self._homes[name], name)])
            try:
                catalogue.beginnings(history)
                for step in history.random.choices(list(STEPS), list(STEPS.values()), k=history.random.randint(20, 40)):
                    step(history)
            except DifferentError as error:
                return seed, str(error)
            finally:
                with self._lock:
                    statuses.update(both.statuses)
        return None

    def check(self, seed: int) -> tuple[int, str] | None:
        """All that both hold."""
        both = self._both()
        try:
            for name in _SEEDED:
                path = f"/v3/{name}?with_count=true"
                if self._rows_of(name) > PAGE_ROWS:  # the first page has other rows on each side, as ids differ
                    both.walk(path, PAGE_ROWS)
                else:
                    both.rows(Asked("GET", path), "id")
            both.rows(Asked("GET", _BOOKINGS), "any")
            for group in ("month", "category", "city"):
                both.ask(Asked("GET", f"/v3/reports/sales?group_by={group}"))
        except DifferentError as error:
            return seed, f"after the histories from here on: {error}"
        return None

    def _both(self) -> Both:
        return Both(self._monolith, self._gateway, self._tokens, self._twins, serves_orders_across())

    @contextmanager
    def _one_client(self, seed: int) -> Iterator[str]:
        name = f"vendor-{1 + seed % CLIENTS_OF_VENDORS}"
        with self._free[name]:
            yield name

    def _seeds(self) -> list[bytes]:
        """All that was there before."""
        paths = [
            f"/v3/{name}?offset={at}" for name in _SEEDED for at in range(0, max(1, self._rows_of(name)), PAGE_ROWS)
        ]
        return [self._read(path).content for path in (*paths, _BOOKINGS)]

    def _rows_of(self, name: str) -> int:
        """How many rows a list of the monolith has."""
        return int(self._read(f"/v3/{name}?limit=1&with_count=true").headers["x-total_count"])

    def _read(self, path: str) -> httpx.Response:
        return self._monolith.get(path, headers={"Authorization": f"Bearer {self._tokens[MARKETPLACE]}"})

    def _home(self, name: str) -> str:
        headers = {"Authorization": f"Bearer {self._tokens[name]}"}
        [row] = self._monolith.get("/v3/vendors", headers=headers).json()
        return str(row["id"])


def serves_orders_across() -> bool:
    """Whether the gateway serves orders over several vendors."""
    document: Any = msgspec.json.decode((ROOT / "examples/bookings/openapi.json").read_bytes())
    return bool(document["paths"]["/v3/orders"]["post"]["x-shardgate"]["rule"] == "divide")
