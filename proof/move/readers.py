"""Readers that ask the gateway and the monolith the same all the time, and compare."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import httpx

from proof.compare import difference
from proof.fleet import Fleet

LISTS: Final = (
    "/v3/events?limit=20&with_count=true",
    "/v3/events?order=-name&limit=30&offset=200",
    "/v3/vendors?order=name&limit=50&with_count=true",
    "/v3/dates?limit=30&with_count=true&order=-start_date",
    "/v3/orders?status=paid&order=-created_at&limit=40&with_count=true",
    "/v3/reports/sales?group_by=city",
    "/octo/products",
)
_OF_TENANT: Final = ("/v3/vendors/{}", "/v3/vendors/{}/events?limit=5")


class Readers:
    """Some threads that read as long as the block runs, while nothing is changed."""

    def __init__(
        self,
        fleet: Fleet,
        token: str,
        tenants: Sequence[str],
        events: Sequence[str],
        count: int,
        lists: Sequence[str] = LISTS,
    ) -> None:
        self._fleet = fleet
        self._headers = {"Authorization": f"Bearer {token}"}
        self._paths = [*lists, *(form.format(each) for form in _OF_TENANT for each in tenants)]
        self._events = [f"/v3/events/{each}" for each in events]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]
        self.statuses: Counter[int] = Counter()
        self.differences: list[str] = []
        self.took_s: list[float] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        gateway, monolith = (
            httpx.Client(base_url=server.url, timeout=60, headers=self._headers)
            for server in (self._fleet.gateway, self._fleet.monolith)
        )
        with gateway, monolith:
            while not self._stop.is_set():
                path = chance.choice(self._events if self._events and chance.random() < 0.3 else self._paths)
                began_at = time.monotonic()
                got = gateway.get(path)
                self.took_s.append(time.monotonic() - began_at)
                self.statuses[got.status_code] += 1
                if (found := difference(monolith.get(path), got)) is not None:
                    self.differences.append(f"GET {path}: {found}")
