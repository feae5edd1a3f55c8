"""Applications that leave the member of the next page out where there is none, each dialect by its own way.

Found: where the first shard's own page was its last one, the merged page lacked the member, though other shards had
more rows: clients ended there, with 200.
"""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.test_no_total import address
from tests.served.dialects.world import Question, Row, ranked, world

LIMITS: dict[str, Any] = {"limit_default": 10, "limit_max": 25}
OFFSETS: dict[str, Any] = {**LIMITS, "page": None, "limit": "limit", "offset": "offset"}
ENVELOPE: dict[str, Any] = {"kind": "envelope", "total": None, **LIMITS, "no_page": "absent"}
DIALECTS: dict[str, dict[str, Any]] = {
    "url": {**ENVELOPE, "urls": {"next": "next", "prev": "previous"}},
    "url in links": {**ENVELOPE, "urls": {"next": "links.next"}},
    "flag": {**ENVELOPE, "has_more": "more"},
    "echo": {**ENVELOPE, "echoes": {"meta.then": "next_offset"}},
    "echoed flag": {**ENVELOPE, "echoes": {"more": "has_next"}},
    "number": {"kind": "pages", **LIMITS, "total": None, "page_count": None, "numbers": {"next": "then"}},
    "drf": {"kind": "drf", **OFFSETS, "past_end": None, "links_sorted": False, "first_page_bare": False},
    "hal": {"kind": "hal", **OFFSETS, "items": "_embedded.rows", "rels": ["next"], "total": None},
    "json_api": {"kind": "json_api", **OFFSETS, "rels": ["next"], "total": None, "links_absent": True},
    "id_cursor": {"kind": "id_cursor", **LIMITS, "has_more": None, "next": "next", "no_page": "absent"},
}
DIALECTS["number"] |= {"no_page": "absent", "page_echo": None, "limit_echo": None}
DIALECTS["drf"] |= {"results": "items"}
DIALECTS["hal"] |= {"page_count": None, "page_echo": None, "limit_echo": None}


def speaking(kind: str) -> Callable[[list[Row], Question], bytes]:
    def speak(rows: list[Row], asked: Question) -> bytes:
        rows = [row for row in ranked(rows, []) if asked.values.get("starting_after", "") < row["id"]]
        limit = min(asked.number("page_size" if kind == "number" else "limit", 10), 25)
        offset = asked.number("offset", (asked.number("page", 1) - 1) * limit)
        shown, more = rows[offset : offset + limit], offset + limit < len(rows)
        return reply(json.dumps(told(kind, asked, shown, limit, offset, more=more), separators=(",", ":")))

    return speak


def told(kind: str, asked: Question, shown: list[Row], limit: int, offset: int, *, more: bool) -> dict[str, Any]:
    paging = {"limit": limit, "offset": offset + limit}
    following = address(asked, paging) if more else None
    before = address(asked, {"limit": limit, "offset": max(0, offset - limit)}) if offset else None
    if kind == "hal":
        body: dict[str, Any] = {"_embedded": {"rows": shown}} if shown else {}
        return body | ({"_links": {"next": {"href": following}}} if more else {})
    if kind == "json_api":
        return {"data": [{"type": "rows", **row} for row in shown]} | ({"links": {"next": following}} if more else {})
    if kind == "drf":
        return {"items": shown} | ({"next": following} if more else {}) | ({"previous": before} if before else {})
    if kind == "id_cursor":
        own = [part for part in asked.query.split("&") if part and not part.startswith("starting_after")]
        begin = asked.url.partition("?")[0]
        return {"data": shown} | (
            {"next": f"{begin}?{'&'.join([*own, 'starting_after=' + shown[-1]['id']])}"} if more else {}
        )
    said: dict[str, dict[str, Any]] = {
        "url": {"next": following},
        "url in links": {"links": {"next": following}},
        "flag": {"more": True},
        "echo": {"meta": {"then": offset + limit}},
        "echoed flag": {"more": True},
        "number": {"then": offset // limit + 2},
    }
    return {"items": shown} | (said[kind] if more else {}) | ({"previous": before} if kind == "url" and before else {})


@pytest.mark.parametrize("kind", DIALECTS)
async def test_the_next_page_is_named_where_the_first_shard_has_none(
    stack: AsyncExitStack, tmp_path: Path, kind: str
) -> None:
    for size in (0, 4, 24, 120):
        rows = await world(stack, tmp_path, speaking(kind), DIALECTS[kind], size)
        for limit in (1, 3, 10, 25):
            for page in (0, 1, 3, 5):
                place = f"limit={limit}&offset={page * limit}"
                if kind == "number":
                    place = f"page={page + 1}&page_size={limit}"
                if kind == "id_cursor":
                    place = f"limit={limit}" + (f"&starting_after={page * 19999:05d}" if page else "")
                await rows.both(f"/rows?{place}")
