"""Bare arrays by limit and offset, with the total in a header field on request."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

DIALECT: dict[str, Any] = {"kind": "offset", "count_header": "X-Total-Count", "limit_default": 30, "fields": "fields"}


def speak(rows: list[Row], asked: Question, **style: Any) -> bytes:
    limit, offset = asked.values.get("limit", "30"), asked.values.get("offset", "0")
    names = asked.values["fields"].split(",") if "fields" in asked.values else None
    order = minus(asked.values.get("order"))
    if not (limit.isdecimal() and offset.isdecimal()) or not {*(names or ()), *dict(order)} <= {*rows[0]}:
        return reply(json.dumps({"error": "bad request"}), status="400 Bad Request")
    shown = ranked(rows, order)[int(offset) : int(offset) + int(limit)]
    if names is not None:
        shown = [{name: row[name] for name in row if name in names} for row in shown]
    counted = asked.values.get("with_count") == "true"
    return reply(json.dumps(shown, **style), fields=f"X-Total-Count: {len(rows)}\r\n" if counted else "")


@pytest.fixture(params=[{}, {"indent": 2}, {"separators": (",", ":"), "ensure_ascii": False}])
async def rows(request: Any, stack: AsyncExitStack, tmp_path: Path) -> World:
    return await world(stack, tmp_path, lambda part, asked: speak(part, asked, **request.param), DIALECT)


@pytest.mark.parametrize("query", ["", "&order=-name", "&order=price,-name&fields=name,id", "&fields=price&order=name"])
@pytest.mark.parametrize("count", ["", "&with_count=true"])
async def test_every_page_forward_and_back(rows: World, query: str, count: str) -> None:
    seen: list[str] = []
    for offset in range(0, 120, 17):
        answer = await rows.both(f"/rows?limit=17&offset={offset}{query}{count}")
        assert answer.headers.get("x-total-count") == ("120" if count else None)
        seen += [json.dumps(row) for row in answer.json()]
    assert len(seen) == 120
    assert "id" not in seen[0] or len(set(seen)) == 120
    for offset in range(119, -1, -17):
        await rows.both(f"/rows?limit=17&offset={offset}{query}{count}")


async def test_odd_pages(rows: World) -> None:
    odd = ("", "?limit=0", "?offset=5000", "?limit=1000&offset=100", "?limit=5&offset=119", f"?offset={'9' * 30}")
    for query in (*odd, "?limit=-1", "?offset=x", "?fields=bogus", "?order=bogus", "?fields=id,n%FF&offset=4"):
        await rows.both(f"/rows{query}")


async def test_deep_pages_and_their_mistakes(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, speak, DIALECT, size=6000)
    for offset in (600, 3000, 5990, 6000, 7000):
        for query in ("", "&order=-price,name", "&fields=price&order=-name&with_count=true"):
            await rows.both(f"/rows?limit=20&offset={offset}{query}")
    for query in ("&fields=bogus", "&order=bogus", "&fields=id,bogus&order=name", "&fields="):
        assert (await rows.both(f"/rows?limit=20&offset=3000{query}")).status_code == 400
