"""Lists by page number, with a page object in the body."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from shardgate.core.dialect import AnyDialect
from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

DIALECT = {
    "kind": "pages",
    "items": "events",
    "total": "pagination.object_count",
    "page_count": "pagination.page_count",
    "page_echo": "pagination.page_number",
    "limit_echo": "pagination.page_size",
    "count_echo": "shown",
    "has_more": "pagination.has_more_items",
    "limit_default": 10,
    "limit_max": 25,
    "order": "sort",
    "suffix": ":",
}


def speak(rows: list[Row], asked: Question, first: int = 1) -> bytes:
    page, size = asked.number("page", first), asked.number("page_size", 10)
    if page < first or not 0 < size <= 25:
        return reply('{"error":"page"}', status="400 Bad Request")
    order = [(key.partition(":")[0], key.endswith(":desc")) for key in asked.values.get("sort", "id").split(",")]
    start = (page - first) * size
    shown = ranked(rows, order)[start : start + size]
    count = -(-len(rows) // size)
    block = {"object_count": len(rows), "page_number": page, "page_size": size, "page_count": count}
    block["has_more_items"] = start + size < len(rows)
    return reply(json.dumps({"shown": len(shown), "events": shown, "pagination": block, "x": 1}))


@pytest.fixture
async def rows(stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, speak, {**DIALECT, "limit_over": "refuse"})


@pytest.mark.parametrize("order", ["", "&sort=name:desc", "&sort=price,name:desc"])
@pytest.mark.parametrize("size", [7, 10, 24, 25])
async def test_every_page_forward_and_back(rows: World, size: int, order: str) -> None:
    seen: list[str] = []
    more, page = True, 0
    while more:
        page += 1
        body = (await rows.both(f"/rows?page={page}&page_size={size}{order}")).json()
        seen += [row["id"] for row in body["events"]]
        more = body["pagination"]["has_more_items"]
    assert len(seen) == len(set(seen)) == 120
    for back in range(page, 0, -1):
        await rows.both(f"/rows?page={back}&page_size={size}{order}")


async def test_odd_pages(rows: World) -> None:
    for query in (
        "",
        "?page=3",
        "?page_size=1&page=97",
        "?page=0",
        "?page_size=0",
        "?page_size=26",
        "?page=500",
        f"?page={'9' * 15}",
    ):
        await rows.both(f"/rows{query}")


async def test_no_shard_is_asked_for_more_than_it_gives_at_once(rows: World) -> None:
    await rows.both("/rows?page=4&page_size=25")
    for shard in rows.parts:
        assert all(Question(asked).number("page_size", 10) <= 25 for asked in shard.asked)


async def test_pages_that_are_counted_from_zero(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, lambda part, asked: speak(part, asked, 0), {**DIALECT, "page_first": 0})
    for page in range(12):
        await rows.both(f"/rows?page={page}")


async def test_a_deep_page_costs_a_few_requests(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, speak, DIALECT, size=6000)
    await rows.both("/rows?page=280&page_size=20&sort=name")
    assert max(len(shard.asked) for shard in rows.parts) < 40


async def test_a_list_that_never_stands_still_is_never_a_page_with_a_row_missing(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    def moving(part: list[Row], asked: Question) -> bytes:
        said = speak(part, asked)
        part[:] = ranked(part, [])[1:]
        return said

    rows = await world(stack, tmp_path, moving, DIALECT, size=300)
    answer = await rows.gateway.get("/rows?page=2&page_size=25")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


def test_pages_need_a_size() -> None:
    for config in ({"limit_default": 10}, {"limit_max": 10}, {"limit_default": 1, "limit_max": 0}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"kind": "pages", **config}, AnyDialect)
