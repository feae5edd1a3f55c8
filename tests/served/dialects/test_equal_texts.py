"""Lists sorted by a locale that takes different texts for equal: by databases that tell them apart, or do not (L18)."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, minus, world

icu = pytest.importorskip("icu")
COLLATOR = icu.Collator.createInstance(icu.Locale("sv"))
# The same letters composed and decomposed, and marks in another order: equal to a reader, different in bytes.
SPELLINGS = ["é", "e\u0301", "ạ\u0307", "a\u0307\u0323", "Å", "\u212b", "A\u030a", "o", "ö"]
KeyOf = Callable[[str], Any]


def by_bytes(text: str) -> Any:
    return (COLLATOR.getSortKey(text), text.encode())


def respelled(row: Row) -> Row:
    return {**row, "name": SPELLINGS[int(row["id"]) % len(SPELLINGS)]}


def speaking(key: KeyOf) -> Callable[[list[Row], Question], bytes]:
    def speak(rows: list[Row], asked: Question) -> bytes:
        shown = sorted(map(respelled, rows), key=lambda row: str(row["id"]))
        for name, descends in reversed(minus(asked.values.get("order"))):
            shown.sort(key=lambda row: key(row[name]) if name == "name" else row[name], reverse=descends)
        start = asked.number("offset", 0)
        shown = shown[start : start + asked.number("limit", 10_000)]
        return reply(json.dumps(shown, ensure_ascii=False))

    return speak


def keys(**more: Any) -> dict[str, Any]:
    return {"keys": {"id": "text", "price": "number", "name": {"type": "text", "collation": "icu:sv", **more}}}


@pytest.mark.parametrize(("key", "deterministic"), [(by_bytes, True), (COLLATOR.getSortKey, False)])
async def test_l18_equal_texts_are_ordered_as_the_database_does(
    stack: AsyncExitStack, tmp_path: Path, key: KeyOf, deterministic: bool
) -> None:
    rows = await world(stack, tmp_path, speaking(key), {"kind": "offset"}, 1500, **keys(deterministic=deterministic))
    for order in ("name", "-name,price", "name,-price", "price,name"):
        for page in ("limit=20", "limit=50&offset=40", "limit=20&offset=1100", "limit=1500"):
            await rows.both(f"/rows?order={order}&{page}")


async def test_l18_where_it_is_not_said_the_cure_is_told_and_nothing_is_merged_wrong(
    stack: AsyncExitStack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = await world(stack, tmp_path, speaking(by_bytes), {"kind": "offset"}, **keys())
    for query in ("order=name,-price&limit=50", "order=name", "order=-name&limit=20&offset=60"):
        refused = await rows.gateway.get(f"/rows?{query}")
        assert (refused.status_code, refused.json()["code"]) == (502, "SG2007")
    assert "write `deterministic` in the sort key" in caplog.text
    await rows.both("/rows?order=price&limit=50")
