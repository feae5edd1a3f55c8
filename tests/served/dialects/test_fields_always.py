"""Applications that send some properties whatever properties a client asks for (L14)."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, minus, ranked, world

ALWAYS = ("id", "vendor")


def shown(rows: list[Row], asked: Question) -> list[Row]:
    """The rows with the properties that are asked for, and with those that are always sent."""
    rows = ranked(rows, minus(asked.values.get("order")))
    if "fields" not in asked.values:
        return rows
    names = {*asked.values["fields"].split(","), *ALWAYS}
    return [{name: row[name] for name in row if name in names} for row in rows]


def by_offset(rows: list[Row], asked: Question) -> bytes:
    start = asked.number("offset", 0)
    return reply(json.dumps(shown(rows, asked)[start : start + asked.number("limit", 10_000)]))


def by_id(rows: list[Row], asked: Question) -> bytes:
    listed = shown(rows, asked)
    after = asked.values.get("starting_after")
    start = 0 if after is None else [row["id"] for row in listed].index(after) + 1 if rows else 0
    limit = asked.number("limit", 10)
    return reply(json.dumps({"data": listed[start : start + limit], "has_more": start + limit < len(listed)}))


OFFSET: dict[str, Any] = {"kind": "offset", "fields": "fields", "fields_always": [*ALWAYS]}


@pytest.mark.parametrize("fields", ["name", "price", "id", "name,vendor", "vendor"])
async def test_l14_what_is_always_sent_stays(stack: AsyncExitStack, tmp_path: Path, fields: str) -> None:
    rows = await world(stack, tmp_path, by_offset, OFFSET, size=1500)
    for query in (
        "limit=20",
        "limit=20&offset=900",
        "limit=7&offset=3&order=-price",
        "limit=9&offset=800&order=name",
        "",
    ):
        await rows.both(f"/rows?fields={fields}&{query}")


async def test_l14_with_cursors(stack: AsyncExitStack, tmp_path: Path) -> None:
    dialect = {**OFFSET, "kind": "id_cursor", "limit_default": 10}
    whole = await world(stack, tmp_path, by_id, dialect)
    for query in ("fields=name", "fields=name&limit=25", "fields=vendor&limit=3"):
        await whole.both(f"/rows?{query}")


async def test_l14_in_long_lists(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_offset, OFFSET, size=9000)
    for query in ("fields=name", "fields=vendor&order=-name"):
        await rows.both(f"/rows?{query}")
