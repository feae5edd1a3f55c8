"""What clients of the reference platform ask for: a fixed mix of reads and changes, over events and dates that exist.

*Holds:* the same number gives the same request, so that two loads ask for the same.
"""

import os
from typing import Any, Final

import httpx
import msgspec

TIMEOUT_S = 30.0
LISTED = 60
"""How many events and dates are asked for."""
CLIENT: Final = "marketplace"
"""A client of the seeded data. Another one is named by LOAD_CLIENT_ID and LOAD_CLIENT_SECRET in the environment."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request, and what its reply must be."""

    method: str = "GET"
    path: str
    body: Any = None
    statuses: tuple[int, ...] = (200,)
    has: str = ""
    """The body has this text."""


class Traffic(msgspec.Struct, frozen=True):
    """The mix. Out of 20 requests 12 are for one event, 5 for lists, 2 for availability, and 1 is an order."""

    events: tuple[str, ...]
    dates: tuple[str, ...]
    vendors: tuple[str, ...]
    """The vendor of each date."""
    changes: bool = True
    """Whether orders are made. Never where the data is production's and the client is a test."""

    def asked(self, number: int) -> Asked:
        """The request of this number."""
        round_, place = divmod(number, 20)
        # The first event is one that everybody wants.
        event = self.events[0 if place % 5 == 0 else (round_ * 13 + place) % len(self.events)]
        date = round_ % len(self.dates)
        match place:
            case 4 | 9 | 14:
                return Asked(path="/v3/events?order=name&limit=20", has='"name"')
            case 7:
                return Asked(path="/v3/dates?available=true&order=start_date&limit=20", has='"start_date"')
            case 12 | 17:
                question = {"items": [{"date_id": self.dates[date], "quantity": 1}]}
                return Asked(method="POST", path="/v3/availability/check", body=question, has=self.dates[date])
            case 19 if self.changes:
                order = {"vendor_id": self.vendors[date], "items": [{"date_id": self.dates[date], "quantity": 1}]}
                # 409: the date is sold out by then, which is the platform's right answer.
                return Asked(method="POST", path="/v3/orders", body=order, statuses=(201, 409))
            case 2:
                return Asked(path="/v3/categories?limit=5", has='"id"')
            case _:
                return Asked(path=f"/v3/events/{event}", has=event)


def access_token(url: str) -> str:
    """LOAD_TOKEN of the environment, or one that the platform issues. It issues no second one while the first lives.

    Raises httpx.HTTPError.
    """
    if known := os.environ.get("LOAD_TOKEN"):
        return known
    name = os.environ.get("LOAD_CLIENT_ID", CLIENT)
    secret = os.environ.get("LOAD_CLIENT_SECRET", f"{CLIENT}-secret")
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    reply = httpx.post(f"{url}/oauth/token", data=form, timeout=TIMEOUT_S, trust_env=False).raise_for_status()
    return str(reply.json()["access_token"])


def discover(url: str, token: str, order: str, *, changes: bool) -> Traffic:
    """Ask the platform what there is. Raises httpx.HTTPError, LookupError."""
    fields = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=fields, timeout=TIMEOUT_S, trust_env=False) as client:
        events = _rows(client, f"/v3/events?order={order}&limit={LISTED}")
        dates = _rows(client, f"/v3/dates?available=true&order=start_date&limit={LISTED}")
    return Traffic(
        tuple(row["id"] for row in events),
        tuple(row["id"] for row in dates),
        tuple(row["vendor_id"] for row in dates),
        changes,
    )


def _rows(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    reply = client.get(path).raise_for_status()
    rows: list[dict[str, Any]] = reply.json()
    if not rows:
        raise LookupError(f"{path} has no rows")
    return rows
