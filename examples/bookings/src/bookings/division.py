"""To whom the data of each operation belongs, said in the document as `x-shardgate`, for whoever divides the data.

Every operation has its line here, written by whoever adds the operation; a test sees to it.

Never: read by the application, which holds all the data that it knows of.
"""

from collections.abc import Mapping
from typing import Any, Final

from bookings import resources as r
from bookings.resources import Property, Resource

Rule = dict[str, Any]

# A client with a vendor lives in a world where no other vendor exists; the claim of a marketplace is null.
_OWN: Final = {"claim.vendor": "vendor"}


def _of_vendor(*keys: str, **more: Any) -> Rule:
    """Belongs to the vendor that the request names. The application refuses an unknown one by itself, anywhere."""
    return {"rule": "one", "key": keys[0] if len(keys) == 1 else [*keys], "locate": "vendor", "unknown": "ask"} | more


def _of(kind: str, **more: Any) -> Rule:
    """Belongs to whoever owns the thing whose id is in the path."""
    return {"rule": "one", "key": f"path.{kind}_id", "locate": kind, "unknown": "ask", **more}


def _list(resource: Resource, **more: Any) -> Rule:
    """Every vendor has some of the rows: one list of all."""
    keys = {each.name: _sort_key(each) for each in resource.sortable.values()}
    return {"rule": "gather", "merge": {"kind": "list", "dialect": "v3", "keys": keys}, **more}


def _of_vendors(**more: str) -> dict[str, str]:
    """Filters whose comma lists name keys: only the shards that own one of them are asked."""
    return {"accept_vendors": "vendor", **_OWN, **more}


# An order over several vendors: each shard has the part of its own vendors, which looks like an order of theirs.
_ORDER_PARTS: Final[Rule] = {
    "sum": ["price", "paid"],
    "min": ["created_at", "cancelled_at", "expires_at"],
    "max": ["updated_at"],
    "shared": ["vendor_id"],
    "lists": {"items": ["start_date", "date_id"]},
    # A part that costs nothing is paid from the beginning; it is so only where all are.
    "first_of": {"status": ["reserved", "open", "cancelled", "expired", "paid"]},
}
_PAYMENT_PARTS: Final[Rule] = {"sum": ["amount"], "min": ["created_at"], "max": ["updated_at"]}


def _of_order(**more: Any) -> Rule:
    """Belongs to whoever has the order, or a part of it."""
    return _of("order", parts={"kind": "entity", "parts": _ORDER_PARTS}, **more)


def _change_of_order(**more: Any) -> Rule:
    return _of_order(change={"read": "/v3/orders/{order_id}", **more})


def _list_of_order(resource: Resource, **parts: Any) -> Rule:
    return _of("order", parts={**_list(resource)["merge"], **parts})


def _octo(key: str, locate: str, **more: Any) -> Rule:
    """Belongs to whoever owns the product, or the booking: an event of one vendor, and an order of its date."""
    return {"rule": "one", "key": key, "locate": locate, "unknown": "ask", **more}


def _octo_list(tie: str, *order: str, learn: str) -> Rule:
    keys = dict.fromkeys((*order, tie), "text")
    merge = {"kind": "list", "dialect": "octo", "keys": keys, "default_order": [*order, tie], "tie": tie}
    return {"rule": "gather", "merge": merge, "learn": {learn: tie}, "prune": {**_OWN}}


def _sort_key(each: Property) -> str | dict[str, str]:
    kind = "number" if each.sort == "integer" else str(each.sort)
    return {"type": kind, "nulls": "first"} if each.nullable else kind


_EVERYWHERE: Final[Rule] = {"rule": "any"}

_ORDERS: Final = {**_list(r.ORDERS)["merge"], "parts": {**_ORDER_PARTS, "locate": "order", "ids": "accept"}}
"""A list of orders: one that is in parts is one row."""

ROOT: Final[Mapping[str, Any]] = {
    "locators": {
        "client": [{"kind": "hash"}],
        "vendor": [{"kind": "directory", "space": "vendors"}],
        "event": [{"kind": "learned"}, {"kind": "probe", "path": "/v3/events/{key}"}],
        "date": [{"kind": "learned"}, {"kind": "probe", "path": "/v3/dates/{key}"}],
        "order": [{"kind": "learned"}, {"kind": "probe", "path": "/v3/orders/{key}"}],
        "product": [{"kind": "learned"}, {"kind": "probe", "path": "/octo/products/{key}"}],
        "booking": [{"kind": "learned"}, {"kind": "probe", "path": "/octo/bookings/{key}"}],
    },
    "dialects": {
        "v3": {
            "kind": "offset",
            "names": "exact",
            "limit_default": 100_000,
            "fields": "fields",
            "count_header": "X-Total_Count",
            "repeated": "last",
        },
        # OCTO has no pages: `limit`, `order` and all others are ignored.
        "octo": {"kind": "whole", "names": "exact"},
    },
}

RULES: Final[Mapping[str, Rule]] = {
    "get_health": _EVERYWHERE,
    # A client's live token is kept by one instance, always the same.
    "create_token": {
        "rule": "one",
        "key": ["form.client_id", "basic.client_id"],
        "locate": "client",
        "unknown": "ask",
    },
    "list_categories": _EVERYWHERE,
    "get_category": _EVERYWHERE,
    # The same on every instance, under one id; where one refuses, the others take it back.
    "create_category": {
        "rule": "every",
        "assign": {"id": "hex"},
        "check": "/v3/categories/{id}",
        "undo": {"method": "DELETE", "path": "/v3/categories/{id}"},
    },
    "change_category": {
        "rule": "every",
        "repeat": True,
        "undo": {"method": "PATCH", "path": "/v3/categories/{category_id}", "restore": "changed"},
    },
    "delete_category": {
        "rule": "every",
        "undo": {"method": "POST", "path": "/v3/categories", "restore": ["id", "slug", "name"], "already": [409]},
    },
    "list_vendors": _list(r.VENDORS, prune={"accept": "vendor", **_OWN}),
    "create_vendor": {
        "rule": "place",
        "space": "vendors",
        "key": "body.id",
        "assign": {"id": "hex"},
        "check": "/v3/vendors/{key}",
    },
    "get_vendor": _of_vendor("path.vendor_id"),
    "change_vendor": _of_vendor("path.vendor_id"),
    "list_events": _list(r.EVENTS, learn={"event": "id"}, prune=_of_vendors(accept="event")),
    "create_event": _of_vendor("body.vendor_id", learn={"event": "id"}),
    "list_vendor_events": _of_vendor("path.vendor_id"),
    "get_event": _of("event"),
    "change_event": _of("event"),
    "delete_event": _of("event"),
    "list_dates": _list(r.DATES, learn={"date": "id"}, prune=_of_vendors(accept="date")),
    "list_event_dates": _of("event"),
    "create_date": _of("event", learn={"date": "id"}),
    "check_availability": {"rule": "divide", "items": "items", "key": "date_id", "locate": "date", "items_max": 1000},
    "get_date": _of("date"),
    "change_date": _of("date"),
    "list_orders": {
        "rule": "gather",
        "merge": _ORDERS,
        "learn": {"order": "id"},
        "prune": {"accept": "order", **_OWN},
    },
    # Without a vendor its items may be of several, on several instances. All hold their seats, then all confirm.
    "create_order": {
        "rule": "divide",
        # For a client of a vendor there is no other.
        "whole_key": ["body.vendor_id", "claim.vendor"],
        "whole_locate": "vendor",
        "items": "items",
        "items_max": 50,
        "key": "date_id",
        "locate": "date",
        "mode": "all_or_none",
        "unknown": "ask",
        "assign": {"id": "hex", "code": "BK-?????-?????"},
        "position": "items.{n}",
        "check": "/v3/orders/{id}",
        "undo": {"method": "POST", "path": "/v3/orders/{id}/cancel", "already": [404, 409]},
        "parts": _ORDER_PARTS,
        "learn": {"order": "id"},
    },
    # One instance has them all; but of what it took back when an order came to nothing, nothing is shown.
    "list_vendor_orders": {
        "rule": "gather",
        "merge": _ORDERS,
        "prune": {"path.vendor_id": "vendor"},
    },
    "get_order": _of_order(),
    "change_order": _change_of_order(
        already=[], undo={"method": "PATCH", "path": "/v3/orders/{order_id}", "restore": "changed"}
    ),
    "confirm_order": _change_of_order(already=[]),
    "cancel_order": _change_of_order(),
    "list_order_tickets": _list_of_order(r.TICKETS),
    "list_order_payments": _list_of_order(r.PAYMENTS, parts=_PAYMENT_PARTS),
    # One payment pays the whole: each part gets what is due of it. A voucher is one vendor's, and pays no such order.
    "create_order_payment": _of(
        "order",
        parts={"kind": "entity", "parts": _PAYMENT_PARTS},
        change={
            "read": "/v3/orders/{order_id}",
            "assign": {"id": "hex"},
            "share": {"member": "amount", "of": "price", "less": "paid", "unless": ["voucher_code"]},
        },
    ),
    "list_coupons": _list(r.COUPONS, prune=_of_vendors()),
    "list_vendor_coupons": _of_vendor("path.vendor_id"),
    "create_coupon": _of_vendor("path.vendor_id"),
    "get_coupon": _of_vendor("path.vendor_id"),
    "change_coupon": _of_vendor("path.vendor_id"),
    "list_vouchers": _list(r.VOUCHERS, prune=_of_vendors()),
    "list_vendor_vouchers": _of_vendor("path.vendor_id"),
    "create_voucher": _of_vendor("path.vendor_id"),
    "get_voucher": _of_vendor("path.vendor_id"),
    "change_voucher": _of_vendor("path.vendor_id"),
    "list_users": _list(r.USERS, prune=_of_vendors()),
    "list_vendor_users": _of_vendor("path.vendor_id"),
    "create_user": _of_vendor("path.vendor_id"),
    "get_user": _of_vendor("path.vendor_id"),
    "change_user": _of_vendor("path.vendor_id"),
    "octo_get_supplier": _EVERYWHERE,
    "octo_list_capabilities": _EVERYWHERE,
    "octo_list_products": _octo_list("id", learn="product"),
    "octo_get_product": _octo("path.id", "product", not_here=[400]),
    "octo_check_availability": _octo("body.productId", "product"),
    "octo_read_calendar": _octo("body.productId", "product"),
    # One uuid is one booking, whatever product a second request names: the shard that has the first refuses the second.
    "octo_reserve_booking": _octo(
        "body.productId", "product", learn={"booking": "uuid"}, idempotency={"name": "body.uuid"}
    ),
    "octo_list_bookings": _octo_list("uuid", "utcCreatedAt", learn="booking"),
    # Two clients may have chosen one uuid, so that a remembered place may be of the other: every 400 is looked into.
    # What was refused may be sent once more then, and that is safe: each of these steps can be repeated.
    "octo_get_booking": _octo("path.uuid", "booking", not_here=[400]),
    "octo_change_booking": _octo("path.uuid", "booking", not_here=[400]),
    "octo_confirm_booking": _octo("path.uuid", "booking", not_here=[400]),
    "octo_extend_booking": _octo("path.uuid", "booking", not_here=[400]),
    "octo_cancel_booking": _octo("path.uuid", "booking", not_here=[400]),
    "report_sales": {
        "rule": "gather",
        "prune": _of_vendors(),
        "merge": {
            "kind": "groups",
            "key": "key",
            "sum": ["orders", "tickets", "revenue"],
            "average": {"average": {"of": "revenue", "over": "orders", "decimals": 2}},
        },
    },
}


def add_to(document: dict[str, Any]) -> None:
    """Write the rules into an OpenAPI document."""
    document["x-shardgate"] = ROOT
    for item in document["paths"].values():
        for operation in item.values():
            if (rule := RULES.get(operation["operationId"])) is not None:
                operation["x-shardgate"] = rule
