"""Readers that ask the gateway and the monolith the same all the time, and compare."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import httpx

from proof.asking import AskingThreads
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


class Readers(AskingThreads):
    """Reads as long as the block runs, while nothing is changed."""

    def __init__(
        self,
        fleet: Fleet,
        token: str,
        tenants: Sequence[str],
        events: Sequence[str],
        count: int,
        lists: Sequence[str] = LISTS,
        rest_s: float = 0.0,
    ) -> None:
        """`rest_s`: between two requests of each; they are users, and no attack."""
        super().__init__(count)
        self._rest_s = rest_s
        self._fleet = fleet
        self._headers = {"Authorization": f"Bearer {token}"}
        self._paths = [*lists, *(form.format(each) for form in _OF_TENANT for each in tenants)]
        self._events = [f"/v3/events/{each}" for each in events]
        self.statuses: Counter[int] = Counter()
        self.differences: list[str] = []
        self.took_s: list[float] = []

    def _ask(self, number: int) -> None:
        chance = random.Random(number)
        gateway, monolith = (
            httpx.Client(base_url=server.url, timeout=60, headers=self._headers)
            for server in (self._fleet.gateway, self._fleet.monolith)
        )
        with gateway, monolith:
            while not self._ended.wait(self._rest_s):
                path = chance.choice(self._events if self._events and chance.random() < 0.3 else self._paths)
                began_at = time.monotonic()
                try:
                    got = gateway.get(path)
                except httpx.TransportError as error:
                    self.differences.append(f"GET {path}: {type(error).__name__}: {error}")
                    continue
                self.took_s.append(time.monotonic() - began_at)
                self.statuses[got.status_code] += 1
                if (found := difference(monolith.get(path), got)) is not None:
                    self.differences.append(f"GET {path}: {found}")
