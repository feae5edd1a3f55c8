"""Pages in order of nested keys, collations, instants and exact numbers are those of one instance with all rows."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.dialect.offset import Offset
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import SortKey
from tests.core.requests import request

RULE = Listed(
    dialect=Offset(),
    keys={
        "id": "text",
        "vendor.name": SortKey(collation="case_insensitive", nulls="last"),
        "at": "time",
        "amount": "number",
    },
)
ROW = st.fixed_dictionaries(
    {
        "vendor": st.none() | st.fixed_dictionaries({"name": st.sampled_from(["a", "A", "b", "Ä", "ä", "B"])}),
        "at": st.sampled_from(["2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z", "2025-12-31T20:00:00.5-03:30"]),
        "amount": st.sampled_from(["1", "1.0", "10e-1", "9007199254740993", "9007199254740992.5", "-1e300"]),
    }
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(["vendor.name", "at", "amount"]), st.booleans()), max_size=3, unique_by=lambda key: key[0]
)


def value(name: str, row: dict[str, Any]) -> Any:
    """What a row is sorted by; the standard library's idea of it, not the gateway's."""
    if name == "vendor.name":
        return (1, "") if row["vendor"] is None else (0, row["vendor"]["name"].lower())
    return datetime.fromisoformat(row["at"]) if name == "at" else Decimal(row["amount"])


def ranked(rows: list[dict[str, Any]], order: list[tuple[str, bool]]) -> list[dict[str, Any]]:
    rows = sorted(rows, key=lambda row: row["id"])
    for name, down in reversed(order):
        rows.sort(key=lambda row: value(name, row), reverse=down)
    return rows


def written(rows: list[dict[str, Any]]) -> str:
    """As JSON, the amounts as they are written."""
    texts = [json.dumps({**row, "amount": 0}).replace('"amount": 0', f'"amount": {row["amount"]}') for row in rows]
    return f"[{', '.join(texts)}]"


@settings(deadline=None)
@given(st.lists(ROW, max_size=12), ORDERS, st.integers(0, 6), st.integers(1, 6), st.data())
def test_any_page_is_the_monoliths(
    table: list[dict[str, Any]], order: list[tuple[str, bool]], offset: int, limit: int, data: st.DataObject
) -> None:
    rows = [{"id": f"{n:02d}", **row} for n, row in enumerate(table)]
    shards: dict[str, list[dict[str, Any]]] = {"s0": [], "s1": [], "s2": []}
    for row in rows:
        shards[data.draw(st.sampled_from(sorted(shards)))].append(row)
    query = f"offset={offset}&limit={limit}"
    if order:
        query += "&order=" + ",".join(f"-{name}" if down else name for name, down in order)
    merging = RULE.begin(request(f"GET /rows?{query}"), tuple(shards))
    asked = {ask.shard for ask in merging.asks()}
    replies = {
        shard: Reply(200, [], written(ranked(shards[shard], order)[: offset + limit]).encode()) for shard in asked
    }
    merged = merging.take(replies)
    if not isinstance(merged, Reply):  # as many rows of two shards: they are asked whether they have more
        merged = merging.take({ask.shard: replies[ask.shard] for ask in merged})
    assert isinstance(merged, Reply)
    assert json.loads(merged.body) == json.loads(written(ranked(rows, order)[offset : offset + limit]))
