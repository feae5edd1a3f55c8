"""Bare arrays without pages: all rows in one order, whatever the names of the parameters."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, ranked, world


def speak(rows: list[Row], asked: Question) -> bytes:
    """An application in which `limit`, `offset` and `order` mean nothing of a page."""
    if asked.values.get("limit") == "refused":
        return reply('{"error":"BAD_REQUEST"}', status="400 Bad Request")
    shown = [row for row in ranked(rows, [("id", False)]) if "offset" not in asked.values or row["price"] > 3]
    return reply(json.dumps(shown))


QUERIES = ["", "?limit=2", "?offset=1&order=-name&fields=id", "?limit=refused", "?limit=x&limit=y"]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("said", [{"names": "exact"}, {"passes": ["limit", "offset"]}])
async def test_parameters_go_to_every_shard_as_they_came(
    stack: AsyncExitStack, tmp_path: Path, said: dict[str, Any], query: str
) -> None:
    rows = await world(stack, tmp_path, speak, {"kind": "whole", **said})
    await rows.both(f"/rows{query}")
    assert {part.asked[-1].line for part in rows.parts} == {f"GET /rows{query} HTTP/1.1"}


async def test_what_seems_to_page_is_refused_where_nothing_is_said_of_it(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, speak, {"kind": "whole"})
    for query in ("?limit=2", "?fields=id&page[number]=2", "?cursor=x"):
        refused = await rows.gateway.get(f"/rows{query}")
        assert (refused.status_code, refused.json()["code"]) == (400, "SG1009"), query
    assert not any(part.asked for part in rows.parts)
    for query in ("", "?order=-name", "?limit=refused"):
        await rows.both(f"/rows{query}")
