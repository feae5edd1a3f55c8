"""Lists that state no size: whether there is a next page is said by a link, a number or a flag, in each dialect.

Found: where one shard alone had rows for the page, as many as the page has, the merged page was said to be the last.
"""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

DIALECTS: dict[str, dict[str, Any]] = {
    "envelope, link": {"kind": "envelope", "urls": {"next": "next", "prev": "links.prev"}},
    "envelope, link or none": {"kind": "envelope", "urls": {"next": "links.next"}},
    "envelope, flag": {"kind": "envelope", "echoes": {"meta.more": "has_next"}},
    "envelope, last": {"kind": "envelope", "echoes": {"meta.last": "is_last", "meta.then": "next_offset"}},
    "envelope, then": {"kind": "envelope", "echoes": {"meta.then": "next_offset"}},
    "pages": {"kind": "pages", "page_count": None, "numbers": {"next": "following"}},
    "drf": {"kind": "drf", "page": None, "limit": "limit", "past_end": None, "links_sorted": False},
    "json_api": {"kind": "json_api", "page": None, "limit": "limit", "offset": "offset", "rels": ["next"]},
    "json_api, absent": {"kind": "json_api", "page": None, "limit": "limit", "offset": "offset", "rels": ["next"]},
    "hal": {"kind": "hal", "page": None, "limit": "limit", "items": "_embedded.rows", "rels": ["next"]},
}
DIALECTS["drf"] |= {"results": "items", "first_page_bare": False}
DIALECTS["json_api, absent"] |= {"links_absent": True}
DIALECTS["hal"] |= {"page_count": None, "page_echo": None, "limit_echo": None}


def speaking(kind: str) -> Callable[[list[Row], Question], bytes]:
    def speak(rows: list[Row], asked: Question) -> bytes:
        rows = [row for row in ranked(rows, []) if row["vendor"] in asked.values.get("vendor", "a-1,b-1,c-1")]
        limit = min(asked.number("page_size" if kind == "pages" else "limit", 10), 25)
        offset = asked.number("offset", (asked.number("page", 1) - 1) * limit)
        shown, more = rows[offset : offset + limit], offset + limit < len(rows)
        said = told(kind, asked, shown, limit, offset, more=more)
        return reply(json.dumps(said, separators=(",", ":")))

    return speak


def told(kind: str, asked: Question, shown: list[Row], limit: int, offset: int, *, more: bool) -> dict[str, Any]:
    paging = {"limit": limit, "offset": offset + limit}
    following = address(asked, paging) if more else None
    before = address(asked, {"limit": limit, "offset": max(0, offset - limit)}) if offset else None
    if kind == "hal":
        links = {"next": {"href": following}} if more else {}
        return ({"_embedded": {"rows": shown}} if shown else {}) | {"_links": {"docs": {"href": "/d"}, **links}}
    if kind.startswith("json_api"):
        data = [{"type": "rows", **row} for row in shown]
        return {"data": data, "links": {"docs": "/d"} | ({"next": following} if more or kind == "json_api" else {})}
    if kind == "pages":
        return {
            "items": shown,
            "page": offset // limit + 1,
            "page_size": limit,
            "following": offset // limit + 2 if more else None,
        }
    if kind == "drf":
        return {"items": shown, "next": following, "previous": before}
    if kind == "envelope, link or none":
        return {"items": shown, "links": {"next": following} if more else {}}
    meta: dict[str, dict[str, Any]] = {
        "envelope, link": {"next": following, "links": {"prev": before}},
        "envelope, flag": {"meta": {"more": more}},
        "envelope, last": {"meta": {"last": not more, "then": offset + limit if more else None}},
        "envelope, then": {"meta": {"then": offset + limit if more else None}},
    }
    return {"items": shown, **meta[kind]}


def address(asked: Question, paging: dict[str, int]) -> str:
    """Parameters that are there stay in their place; a link always has both."""
    parts = [part.partition("=") for part in asked.query.split("&") if part]
    kept = [f"{name}={paging.get(name, value)}" for name, _, value in parts]
    there = {name for name, _, _ in parts}
    added = [f"{name}={value}" for name, value in reversed(paging.items()) if name not in there]
    return f"{asked.url.partition('?')[0]}?{'&'.join(kept + added)}"


async def start(stack: AsyncExitStack, folder: Path, kind: str) -> World:
    dialect = {"limit_default": 10, "limit_max": 25, "total": None, **DIALECTS[kind]}
    if kind == "drf":
        del dialect["total"]
    return await world(stack, folder, speaking(kind), dialect)


@pytest.mark.parametrize("kind", DIALECTS)
async def test_a_page_of_one_shards_rows_has_one_behind_it(stack: AsyncExitStack, tmp_path: Path, kind: str) -> None:
    rows = await start(stack, tmp_path, kind)
    for vendor in ("a-1", "b-1", "c-1", "a-1,c-1"):
        for limit in (5, 10, 25):
            for page in (0, 1, 3):
                place = (
                    f"page={page + 1}&page_size={limit}" if kind == "pages" else f"limit={limit}&offset={page * limit}"
                )
                await rows.both(f"/rows?vendor={vendor}&{place}")
