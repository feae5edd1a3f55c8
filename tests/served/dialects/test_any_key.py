"""Lists that can be sorted by any property of their rows, whose values are of several types (L8)."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, world

DIALECT = {"kind": "envelope", "limit_default": 10}
VALUES: list[Any] = [None, True, False, 5, 2.5, -3, 10**20, "x", "Ä", "a", "", "5", ...]
JSONB = {"type": "any", "types": ["text", "number", "boolean"], "nulls": "first"}


def odd(row: Row) -> Row:
    """The row with a member of one of many types, or without it, and one that is deeper."""
    value = VALUES[int(row["id"]) % len(VALUES)]
    more = {} if value is ... else {"odd": value}
    return {**row, **more, "vendor": {"name": row["name"], "rank": value if value is not ... else None}}


def value_of(row: Row, name: str) -> Any:
    found: Any = row
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def key(value: Any, types: list[str]) -> tuple[int, Any]:
    if value is None:
        return (-1, 0)
    if isinstance(value, dict):
        return (9, json.dumps(value))
    kind = {bool: "boolean", str: "text"}.get(type(value), "number")
    return (types.index(kind), value)


def speak(rows: list[Row], asked: Question, types: list[str]) -> bytes:
    shown = sorted(map(odd, rows), key=lambda row: row["id"])
    for name, descends in reversed(minus(asked.values.get("order"))):
        shown.sort(key=lambda row: key(value_of(row, name), types), reverse=descends)
    start = asked.number("offset", 0)
    body = {"items": shown[start : start + asked.number("limit", 10)], "total": len(rows)}
    return reply(json.dumps(body, ensure_ascii=False))


async def start(
    stack: AsyncExitStack, folder: Path, keys: Any, types: tuple[str, ...] = ("boolean", "number", "text"), **more: Any
) -> World:
    return await world(stack, folder, lambda part, asked: speak(part, asked, [*types]), DIALECT, keys=keys, **more)


QUERIES = ["", "order=odd", "order=-odd", "order=name,-odd", "order=vendor.rank,-price", "order=-vendor.name,odd"]


@pytest.mark.parametrize("query", [*QUERIES, "order=none", "order=none,-odd,id"])
async def test_l8_any_property_may_be_a_sort_key(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    rows = await start(stack, tmp_path, "any")
    for offset in (0, 30, 110, 500):
        await rows.both(f"/rows?limit=20&offset={offset}&{query}")


async def test_l8_types_stand_in_the_applications_order(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await start(stack, tmp_path, {"id": "text", "*": JSONB}, ("text", "number", "boolean"))
    for query in QUERIES:
        await rows.both(f"/rows?limit=100&{query}")
    wrong = await start(stack, tmp_path, "any", ("text", "number", "boolean"))
    broken = await wrong.gateway.get("/rows?limit=100&order=odd")
    assert (broken.status_code, broken.json()["code"]) == (502, "SG2007")


async def test_l8_deep_pages_by_a_property_of_several_types(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await start(stack, tmp_path, "any", size=3000)
    for offset in (700, 1500, 2990):
        for query in ("order=odd", "order=-odd,name"):
            await rows.both(f"/rows?limit=20&offset={offset}&{query}")


async def test_l8_what_no_property_can_be_is_refused(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await start(stack, tmp_path, "any")
    for order in ("vendor,vendor.name", "a..b", 'a"b', "x" * 200, ",".join(f"k{n}" for n in range(20)), "vendor"):
        refused = await rows.gateway.get("/rows", params={"order": order})
        assert refused.status_code == (502 if order == "vendor" else 400), order
