"""Bare arrays without pages: all rows in one order, whatever the names of the parameters."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world


def speak(rows: list[Row], asked: Question) -> bytes:
    """An application in which `limit`, `offset` and `order` mean nothing of a page."""
    if asked.values.get("limit") == "refused":
        return reply('{"error":"BAD_REQUEST"}', status="400 Bad Request")
    shown = [row for row in ranked(rows, [("id", False)]) if "offset" not in asked.values or row["price"] > 3]
    return reply(json.dumps(shown))


@pytest.fixture
async def rows(stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, speak, {"kind": "whole"})


@pytest.mark.parametrize(
    "query", ["", "?limit=2", "?offset=1&order=-name&fields=id", "?limit=refused", "?limit=x&limit=y"]
)
async def test_parameters_go_to_every_shard_as_they_came(rows: World, query: str) -> None:
    await rows.both(f"/rows{query}")
    assert {part.asked[-1].line for part in rows.parts} == {f"GET /rows{query} HTTP/1.1"}
