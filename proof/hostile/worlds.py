"""The configurations of the attacked gateways: every kind of rule, each over three shards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from proof.hostile.bookings import Bookings
from proof.hostile.stage import Stage
from proof.hostile.tls import TlsStage
from proof.hostile.tokens import TokenStage

_KEYS = {"id": "text", "n": "number"}


def _list(dialect: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rule": "gather", "merge": {"kind": "list", "dialect": dialect, "keys": _KEYS, **more}}


STUB: dict[str, Any] = {
    "locators": {
        "thing": [{"kind": "prefix", "shards": {"n": "inner-north", "s": "inner-south", "w": "inner-west"}}],
        "probed": [{"kind": "learned"}, {"kind": "probe", "path": "/probed/{key}"}],
        "hashed": [{"kind": "hash"}],
    },
    "rules": {
        "GET /any": {"rule": "any"},
        "POST /any": {"rule": "any"},
        "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "PUT /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "POST /things": {"rule": "one", "key": "body.id", "locate": "thing"},
        "POST /nested": {"rule": "one", "key": "body.a.b.id", "locate": "thing"},
        "POST /form": {"rule": "one", "key": "form.id", "locate": "thing"},
        "POST /both": {"rule": "one", "key": ["query.id", "body.id"], "locate": "thing"},
        "GET /query": {"rule": "one", "key": "query.id", "locate": "thing"},
        "POST /header": {"rule": "one", "key": "header.X-Thing", "locate": "thing"},
        "GET /header": {"rule": "one", "key": "header.X-Thing", "locate": "thing"},
        "GET /basic": {"rule": "one", "key": "basic.username", "locate": "hashed"},
        "GET /probed/{id}": {"rule": "one", "key": "path.id", "locate": "probed"},
        "GET /list": {
            **_list({"kind": "offset", "limit_default": 100_000, "count_header": "X-Total", "fields": "fields"}),
            "learn": {"probed": "id"},
        },
        "GET /env": _list({"kind": "envelope", "items": "rows", "limit_default": 100_000}),
        "GET /pages": _list({"kind": "pages", "items": "rows", "limit_default": 10, "limit_max": 50}),
        "GET /link": _list({"kind": "link_header", "limit_default": 10, "limit_max": 50}),
        "GET /dedupe": _list({"kind": "offset", "limit_default": 100_000}, dedupe={"by": "id"}),
        "GET /walk": _list({"kind": "cursor", "limit_default": 10, "limit_max": 100}, tie="id"),
        "GET /after": _list({"kind": "id_cursor", "limit_default": 10, "limit_max": 100}),
        "GET /sums": {"rule": "gather", "merge": {"kind": "groups", "key": "id", "sum": ["n"]}},
        "POST /everyone": {
            "rule": "every",
            "assign": {"id": "hex"},
            "check": "/everyone/{id}",
            "undo": {"method": "DELETE", "path": "/everyone/{id}"},
        },
        "POST /place": {
            "rule": "place",
            "space": "place",
            "key": "body.id",
            "assign": {"id": "hex"},
            "check": "/place/{key}",
            "pinned_by": "body.country",
            "pinned": {"s": "inner-south"},
        },
        "POST /divide": {"rule": "divide", "items": "items", "key": "key", "locate": "thing", "mode": "independent"},
        "POST /whole": {
            "rule": "divide",
            "items": "items",
            "key": "key",
            "locate": "thing",
            "mode": "all_or_none",
            "assign": {"id": "hex"},
            "check": "/whole/{id}",
            "undo": {"method": "POST", "path": "/whole/{id}/cancel"},
        },
        "POST /check": {"rule": "divide", "items": "items", "key": "key", "locate": "probed"},
    },
}
"""Keys are found in the path, the query, a form, JSON, header fields; by prefix, hash, memory and probes."""


_CLAIMED = {"rule": "one", "key": ["claim.thing", "query.id"], "locate": "thing", "unknown": "ask"}
_WITH_CLAIMS = {**STUB, "rules": {**STUB["rules"], "GET /claimed": _CLAIMED}}


def open_stage(name: str, folder: Path, seed: int) -> Stage:
    """The world of this name, not yet started."""
    return _WORLDS[name](folder, seed)


_WORLDS: dict[str, Callable[[Path, int], Stage]] = {
    "stub": lambda folder, seed: Stage(folder, STUB, {}, seed),
    "crowd": lambda folder, seed: Stage(folder, STUB, {"workers": 2}, seed),
    "bookings": Bookings,
    "tls": lambda folder, seed: TlsStage(folder, STUB, seed),
    "tokens": lambda folder, seed: TokenStage(folder, _WITH_CLAIMS, seed),
}
