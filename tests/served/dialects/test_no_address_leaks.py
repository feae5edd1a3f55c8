"""An application that writes its own address into links, whatever the Host: no client sees the address of a shard."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, ranked, world

OWN = "http://shard.internal:9999/rows"
LINKS = dict.fromkeys(("self", "first", "prev", "next", "last"), f"{OWN}?page=2&cursor=2")


def hal(rows: list[Row]) -> dict[str, Any]:
    links = {rel: {"href": url} for rel, url in LINKS.items()}
    return {"_embedded": {"rows": rows}, "_links": links, "page": {"totalElements": 30}}


def json_api(rows: list[Row]) -> dict[str, Any]:
    return {"data": [{"type": "rows", "id": row["id"]} for row in rows], "links": LINKS, "meta": {"total": 30}}


def cursor(rows: list[Row]) -> dict[str, Any]:
    return {"items": rows, "next_cursor": LINKS["next"]}


def id_cursor(rows: list[Row]) -> dict[str, Any]:
    return {"data": rows, "has_more": True, "links": {rel: LINKS[rel] for rel in ("next", "prev")}}


def drf(rows: list[Row]) -> dict[str, Any]:
    return {"count": 30, "next": LINKS["next"], "previous": LINKS["prev"], "results": rows}


@pytest.mark.parametrize(
    ("told", "dialect"),
    [
        (hal, {"kind": "hal", "items": "_embedded.rows", "limit_max": 10, "rels": ["self", "next"]}),
        (json_api, {"kind": "json_api", "limit_max": 10}),
        (cursor, {"kind": "cursor", "next_is": "link"}),
        (id_cursor, {"kind": "id_cursor", "next": "links.next", "previous": "links.prev"}),
        (drf, {"kind": "drf", "limit_max": 10}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_links_are_the_gateways(
    stack: AsyncExitStack, tmp_path: Path, told: Any, dialect: dict[str, Any]
) -> None:
    def speak(part: list[Row], asked: Question) -> bytes:
        return reply(json.dumps(told(ranked(part, [])[:10])))

    rows = await world(stack, tmp_path, speak, {**dialect, "limit_default": 10})
    answer = await rows.gateway.get("/rows")
    assert answer.status_code == 200, answer.text
    assert "shard.internal" not in answer.text + str(answer.headers)
    assert "/rows?" in answer.text
