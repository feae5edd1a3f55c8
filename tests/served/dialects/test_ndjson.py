"""Newline-delimited JSON: one row on each line."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

DIALECT = {"kind": "ndjson", "count_header": "X-Total-Count", "fields": "fields"}


def speak(rows: list[Row], asked: Question, end: str = "\n", last: bool = True) -> bytes:
    limit, offset = asked.number("limit", len(rows)), asked.number("offset", 0)
    shown = ranked(rows, minus(asked.values.get("order")))[offset : offset + limit]
    if names := asked.values.get("fields"):
        shown = [{name: row[name] for name in row if name in names.split(",")} for row in shown]
    body = end.join(json.dumps(row) for row in shown) + (end if last and shown else "")
    head, _, body_bytes = reply(body, fields=f"X-Total-Count: {len(rows)}\r\n").partition(b"\r\n\r\n")
    return head.replace(b"application/json", b"application/x-ndjson") + b"\r\n\r\n" + body_bytes


@pytest.fixture(params=[{}, {"end": "\r\n"}, {"last": False}])
async def rows(request: Any, stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, lambda part, asked: speak(part, asked, **request.param), DIALECT)


@pytest.mark.parametrize("query", ["", "&order=-name", "&order=price,-name&fields=name,id"])
async def test_every_page_forward_and_back(rows: World, query: str) -> None:
    seen: list[str] = []
    for offset in range(0, 120, 17):
        answer = await rows.both(f"/rows?limit=17&offset={offset}{query}")
        assert answer.headers["content-type"] == "application/x-ndjson"
        seen += [json.loads(line)["id"] for line in answer.text.splitlines()]
    assert len(seen) == len(set(seen)) == 120
    for offset in range(119, -1, -17):
        await rows.both(f"/rows?limit=17&offset={offset}{query}")


async def test_odd_pages(rows: World) -> None:
    for query in ("", "?limit=1", "?offset=500", "?limit=0", "?fields=name", "?order=-price&fields=id"):
        await rows.both(f"/rows{query}")


@pytest.mark.parametrize("size", [0, 1, 2000])
async def test_small_lists_and_a_deep_page(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    rows = await world(stack, tmp_path, speak, DIALECT, size=size)
    for query in ("", "?limit=20&offset=1900", "?limit=20&offset=1900&order=-name"):
        await rows.both(f"/rows{query}")


@pytest.mark.parametrize("style", [{"last": False}, {"end": "\r\n"}, {"end": "\r\n", "last": False}])
async def test_lines_end_as_they_do_where_there_are_rows(
    stack: AsyncExitStack, tmp_path: Path, style: dict[str, Any]
) -> None:
    """Found: where the first shard had no rows, lines ended as nobody had said."""
    rows = await world(stack, tmp_path, lambda part, asked: speak(vendors(part, asked), asked, **style), DIALECT)
    for vendor in ("b-1", "c-1", "b-1,c-1", "nobody"):
        await rows.both(f"/rows?vendor={vendor}")


def vendors(rows: list[Row], asked: Question) -> list[Row]:
    return [row for row in rows if row["vendor"] in asked.values["vendor"].split(",")]


@pytest.mark.parametrize(
    "body", ['{"id":"1"},{"id":"2"}', '{"id":\n"1"}', '[{"id":"1"}]', '{"id":"1"} {"id":"2"}', "1", '{"id":"1"']
)
async def test_a_line_that_is_not_one_row_is_broken(stack: AsyncExitStack, tmp_path: Path, body: str) -> None:
    rows = await world(stack, tmp_path, lambda part, asked: reply(body), DIALECT)
    assert (await rows.gateway.get("/rows")).json()["code"] == "SG2002"
