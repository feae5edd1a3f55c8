"""Bare arrays with a Content-Range, as PostgREST writes it."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

DIALECT = {"kind": "content_range", "limit_max": 30, "limit_default": 30}


def speak(rows: list[Row], asked: Question) -> bytes:
    limit, offset = min(asked.number("limit", 30), 30), asked.number("offset", 0)
    counted = asked.values.get("count") != "no"
    if counted and offset and offset >= len(rows):
        refusal = {"code": "PGRST103", "message": "Requested range not satisfiable"}
        return reply(
            json.dumps(refusal), status="416 Range Not Satisfiable", fields=f"Content-Range: */{len(rows)}\r\n"
        )
    order = [(key.split(".")[0], key.endswith(".desc")) for key in asked.values.get("order", "id").split(",")]
    shown = ranked(rows, order)[offset : offset + limit]
    place = f"{offset}-{offset + len(shown) - 1}" if shown else "*"
    partial = counted and len(shown) < len(rows)
    return reply(
        "[" + ",\n ".join(json.dumps(row) for row in shown) + "]",
        status="206 Partial Content" if partial else "200 OK",
        fields=f"Content-Range: {place}/{len(rows) if counted else '*'}\r\n",
    )


@pytest.fixture
async def rows(stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, speak, DIALECT)


@pytest.mark.parametrize("query", ["", "&order=name.desc", "&order=price.asc,name.desc", "&count=no"])
async def test_every_page_forward_and_back(rows: World, query: str) -> None:
    seen: list[str] = []
    for offset in range(0, 120, 13):
        seen += [row["id"] for row in (await rows.both(f"/rows?limit=13&offset={offset}{query}")).json()]
    assert len(seen) == len(set(seen)) == 120
    for offset in range(117, -1, -13):
        await rows.both(f"/rows?limit=13&offset={offset}{query}")


@pytest.mark.parametrize("size", [0, 3, 30])
async def test_a_whole_list_is_not_partial(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    rows = await world(stack, tmp_path, speak, DIALECT, size=size)
    for query in ("", "?limit=30", "?limit=3", "?count=no", "?count=no&offset=900"):
        await rows.both(f"/rows{query}")


async def test_a_page_behind_the_end_is_refused_as_one_instance_would(rows: World) -> None:
    answer = await rows.both("/rows?offset=120")
    assert (answer.status_code, answer.json()["code"]) == (416, "PGRST103")
    assert answer.headers["content-range"] == "*/120"


async def test_a_list_that_does_not_say_where_it_stands_is_broken(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, lambda part, asked: reply("[]"), DIALECT)
    assert (await rows.gateway.get("/rows")).json()["code"] == "SG2002"


def speak_by_range(rows: list[Row], asked: Question) -> bytes:
    """As PostgREST: a client may page by a field of the request instead of parameters."""
    for text in asked.field("range"):
        first, _, last = text.removeprefix("items=").partition("-")
        asked.values["offset"] = first
        asked.values["limit"] = str(int(last) - int(first) + 1) if last else "30"
    return speak(rows, asked)


async def test_l10_a_range_of_rows_is_read_or_refused_and_never_ignored(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: `Range: 0-4` was answered with the whole list.
    reads = await world(stack, tmp_path, speak_by_range, {**DIALECT, "ranges": "read"})
    for text in ("0-4", "items=5-9", "100-", "0-0", "115-200", "7-90"):
        await reads.both("/rows?order=name.desc", Range=text)
    assert (await reads.both("/rows", Range="200-300")).status_code == 416
    for text, query, problem in [
        ("4-2", "", "`Range: 4-2`: `Range: 0-24`, or"),
        ("0-4", "?limit=3", "beside `limit` or `offset`"),
    ]:
        answer = await reads.gateway.get(f"/rows{query}", headers={"Range": text})
        assert (answer.status_code, problem in answer.json()["detail"]) == (400, True)
    silent = await world(stack, tmp_path, speak_by_range, DIALECT)
    answer = await silent.gateway.get("/rows", headers={"Range": "0-4"})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1009")
    assert (await silent.gateway.get("/rows", headers={"Range": "bytes=0-4"})).status_code == 206
