"""Lists by limit and offset, with the rows and their total in a JSON object."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

DIALECT = {
    "kind": "envelope",
    "items": "data.rows",
    "total": "pagination.total",
    "has_more": "pagination.has_more",
    "limit_echo": "pagination.limit",
    "offset_echo": "pagination.offset",
    "limit_default": 10,
    "limit_max": 40,
}


def speak(rows: list[Row], asked: Question, **style: Any) -> bytes:
    limit, offset = min(asked.number("limit", 10), 40), asked.number("offset", 0)
    page = ranked(rows, minus(asked.values.get("order")))[offset : offset + limit]
    more = offset + len(page) < len(rows)
    block = {"offset": offset, "limit": limit, "has_more": more, "total": len(rows)}
    if asked.values.get("count") == "no":
        del block["total"]
    body = {"version": 1.50, "pagination": block, "data": {"kind": "rows", "rows": page}, "status": {"ok": True}}
    return reply(json.dumps(body, **style))


@pytest.fixture(params=[{}, {"indent": 2}, {"separators": (",", ":"), "ensure_ascii": False}])
async def rows(request: Any, stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, lambda part, asked: speak(part, asked, **request.param), DIALECT)


@pytest.mark.parametrize("count", ["", "&count=no"])
@pytest.mark.parametrize("order", ["", "&order=-name", "&order=price,-name"])
async def test_every_page_forward_and_back(rows: World, order: str, count: str) -> None:
    seen: list[str] = []
    more, offset = True, 0
    while more:
        body = (await rows.both(f"/rows?limit=17&offset={offset}{order}{count}")).json()
        seen += [row["id"] for row in body["data"]["rows"]]
        more, offset = body["pagination"]["has_more"], offset + 17
    assert len(seen) == len(set(seen)) == 120
    for back in range(offset, -1, -17):
        await rows.both(f"/rows?limit=17&offset={back}{order}{count}")


async def test_odd_pages(rows: World) -> None:
    for query in ("", "?limit=0", "?limit=40", "?limit=1000&offset=100", "?offset=5000", "?limit=40&offset=39"):
        await rows.both(f"/rows{query}")


async def test_no_shard_is_asked_for_more_than_it_gives_at_once(rows: World) -> None:
    await rows.both("/rows?limit=40&offset=35")
    for shard in rows.parts:
        assert all(Question(asked).number("limit", 10) <= 40 for asked in shard.asked)


@pytest.mark.parametrize(
    "body",
    ["[]", "", "{}", '{"data":{"rows":{}}}', '{"data":{"rows":[],"rows":[]}}', '{"data":[]}', '{"data":{"rows":[]}}x',
     '{"data":{"rows":[]},"pagination":{"total":"3"}}', '{"data":{"rows":[]},"pagination":{"has_more":1}}'],
)  # fmt: skip
async def test_a_body_that_is_not_what_the_rule_says_is_broken(
    stack: AsyncExitStack, tmp_path: Path, body: str
) -> None:
    broken = await world(stack, tmp_path, lambda part, asked: reply(body), DIALECT)
    answer = await broken.gateway.get("/rows")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


async def test_an_application_that_cuts_shorter_than_its_rule_says_is_found_out(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    wrong = await world(stack, tmp_path, speak, {**DIALECT, "limit_max": 100})
    assert (await wrong.gateway.get("/rows?limit=90")).json()["code"] == "SG2002"
