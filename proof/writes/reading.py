"""Reads in between, whose replies depend on all that was written, and what is sent once more with its key."""

from dataclasses import replace
from typing import Any

from proof.writes.both import Asked
from proof.writes.history import MARKETPLACE, NOWHERE, History

_LISTS = ("events", "dates", "orders", "coupons", "vouchers", "users")


def list_by_id(h: History) -> None:
    """A list of this history's vendors, in the order of its ids, with its size."""
    h.rows(f"/v3/{h.one(_LISTS)}?accept_vendors={_vendors(h)}&with_count=true")


def list_in_order(h: History) -> None:
    """A page in an order that the client asks for; fields that it chooses."""
    kind, order, fields = h.one(
        [
            ("events", "name", "name,price,active,vendor_id"),
            ("events", "-price,-name", "id,name,updated_at"),
            ("coupons", "-percent,code", "code,percent,active"),
            ("vouchers", "balance,-code", "code,balance"),
            ("users", "-email", "email,role,id"),
        ]
    )
    path = f"/v3/{kind}?accept_vendors={_vendors(h, seeded=False)}&order={order}&with_count=true"
    path += h.one(["", f"&fields={fields}"])
    h.rows(f"{path}&limit={h.one([1, 3, 20])}&offset={h.one([0, 0, 1, 4])}", order="given")


def list_pages(h: History) -> None:
    """A list page after page."""
    h.both.walk(f"/v3/{h.one(_LISTS)}?accept_vendors={_vendors(h)}", h.one([1, 3, 7]))


def list_new(h: History) -> None:
    """Vendors and categories of this history."""
    h.rows(f"/v3/vendors?match=%20{h.seed:06}%20&order=name&with_count=true", order="given")
    if h.categories:
        h.rows(f"/v3/categories?accept={','.join(h.categories)}&order=slug", order="given")


def list_below(h: History) -> None:
    """What hangs below a vendor or an event; nothing hangs below one that is not there."""
    vendor = NOWHERE if h.maybe(0.05) else h.one(h.vendors).id
    h.rows(f"/v3/vendors/{vendor}/{h.one(['events', 'orders', 'coupons', 'vouchers', 'users'])}")
    if h.events:
        h.rows(f"/v3/events/{h.one(h.events).id}/dates?order=start_date", order="given")


def read_one(h: History) -> None:
    """One thing, also by who may not see it."""
    client = h.random.choices((MARKETPLACE, h.own.client, "nobody"), (80, 15, 5))[0]
    things = [f"vendors/{h.one(h.vendors).id}"]
    things += [f"events/{each.id}" for each in h.events[-3:]]
    things += [f"dates/{each.id}" for each in h.dates[-4:]]
    things += [f"orders/{each.id}" for each in h.orders[-6:]]
    things += [f"categories/{each}" for each in h.categories[-2:]]
    h.read(f"/v3/{h.one(things)}", client)


def read_order(h: History) -> None:
    """An order with what hangs below it."""
    if h.orders:
        order = h.one(h.orders).id
        h.read(f"/v3/orders/{order}")
        h.rows(f"/v3/orders/{order}/tickets?with_count=true")
        h.rows(f"/v3/orders/{order}/payments?with_count=true")


def check_availability(h: History) -> None:
    """Dates of all shards in one question, twice the same among them."""
    dates = [date.id for date in h.dates]
    chosen = h.random.choices(dates, k=h.one([1, 3, 8])) if dates else []
    if h.maybe(0.08):
        chosen.append(NOWHERE)
    items: list[dict[str, Any]] = [{"date_id": each, "quantity": h.one([1, 2, 9])} for each in chosen]
    h.both.ask(Asked("POST", "/v3/availability/check", {"items": items}))


def report(h: History) -> None:
    """What was sold."""
    h.read(f"/v3/reports/sales?group_by={h.one(['month', 'category', 'city'])}&accept_vendors={_vendors(h)}")


def send_again(h: History) -> None:
    """A retry with its key has the first reply, to the byte; the same key with another payload is refused."""
    if not h.both.keyed:
        return
    asked, first = h.one(h.both.keyed)
    if h.maybe(0.6):
        h.both.again(asked, first)
    elif h.maybe(0.7):
        h.both.refused(replace(asked, body={**(asked.body or {}), "other": 1}), 422, "SG1017")
    elif asked.method == "PATCH" or asked.path.startswith("/v3/orders"):  # names stay new
        other = replace(asked, client=h.own.client if asked.client == MARKETPLACE else MARKETPLACE)
        if all((each.client, each.key) != (other.client, other.key) for each, _ in h.both.keyed):
            h.both.ask(other)


def _vendors(h: History, *, seeded: bool = True) -> str:
    mine = h.vendors if seeded else h.vendors[1:] or h.vendors
    chosen = h.random.sample(mine, h.random.randint(1, len(mine)))
    return ",".join(vendor.id for vendor in chosen)


STEPS = {
    list_by_id: 4,
    list_in_order: 4,
    list_pages: 2,
    list_new: 2,
    list_below: 2,
    read_one: 5,
    read_order: 5,
    check_availability: 4,
    report: 2,
    send_again: 6,
}
