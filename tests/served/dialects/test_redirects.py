"""Redirects of lists, and links in the heads of shards' lists: no client reads the gateway's own query there (L15)."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, world

OFFSET: dict[str, Any] = {"kind": "offset", "states_order": True, "passes": ["page", "page_size", "top"]}
PAGES = {"kind": "pages", "limit_default": 10, "limit_max": 25, "passes": ["limit", "offset", "top"]}
CURSOR = {"kind": "cursor", "limit_default": 10, "limit_max": 25, "passes": ["offset", "page", "page_size", "top"]}
GROUPS = {"kind": "groups", "key": "city", "sum": ["n"], "limit": "top", "refuse": []}
WAYS: list[dict[str, Any]] = [{"dialect": each} for each in (OFFSET, PAGES, CURSOR)]


def moved(rows: list[Row], asked: Question) -> bytes:
    """As a framework that adds a slash, or a version, and keeps the query."""
    query = f"?{asked.query}" if asked.query else ""
    return reply("moved", status="307 Temporary Redirect", fields=f"Location: /v2/rows{query}\r\n")


@pytest.mark.parametrize("way", [*WAYS, {"dialect": OFFSET, "instead": GROUPS}])
async def test_l15_a_redirect_shows_the_clients_own_query(
    stack: AsyncExitStack, tmp_path: Path, way: dict[str, Any]
) -> None:
    rows = await world(stack, tmp_path, moved, **way)
    for query in ("", "?limit=5&offset=700&q=a%20b", "?order=-name&page=70&page_size=9", "?top=3"):
        answer = await rows.both(f"/rows{query}")
        assert answer.headers["location"] == f"/v2/rows{query}"


async def test_l15_a_redirect_of_lists_with_rows_in_parts(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, moved, {"kind": "offset"}, parts={"sum": ["price"]})
    assert (await rows.both("/rows?limit=5")).headers["location"] == "/v2/rows?limit=5"


async def test_l15_shards_that_redirect_some_pages_only_are_broken(stack: AsyncExitStack, tmp_path: Path) -> None:
    def speak(rows: list[Row], asked: Question) -> bytes:
        return moved(rows, asked) if asked.number("limit", 0) > 10 else reply("[]")

    rows = await world(stack, tmp_path, speak, {"kind": "offset"})
    assert (await rows.gateway.get("/rows?limit=8&offset=5")).status_code == 502


async def test_l15_a_shards_own_links_to_the_list_are_left_out(stack: AsyncExitStack, tmp_path: Path) -> None:
    def speak(rows: list[Row], asked: Question) -> bytes:
        shown = sorted(rows, key=lambda row: str(row["id"]))[: asked.number("limit", 20)]
        next_page = f'<{asked.url}&offset=20>; rel="next"; title="a, b"'
        fields = f'Link: </docs>; rel="help", {next_page}\r\nContent-Location: {asked.target}\r\n'
        return reply(json.dumps(shown), fields=fields)

    rows = await world(stack, tmp_path, speak, {"kind": "offset"})
    answer = await rows.gateway.get("/rows?limit=5&z=1")
    assert answer.headers["link"] == '</docs>; rel="help"'
    assert "content-location" not in answer.headers
