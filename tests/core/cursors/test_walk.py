"""Pages by cursors, one after the other, are the sorted list: any rows, division, order and sizes."""

import base64
import json
from functools import cmp_to_key
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.contracts import Moment
from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.id_cursor import IdCursor, Seek
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import SortKey
from tests.core.requests import request

Row = dict[str, Any]
Parts = dict[str, list[Row]]
KEYS = {
    "id": SortKey(collation="case_insensitive"),
    "name": SortKey(),
    "rank": SortKey(type="number", nulls="last"),
    "city": SortKey(path="v.city", nulls="last"),
}
CURSORS = Listed(dialect=Cursor(seal=Seal((b"s" * 32,), 60), limit_default=3, limit_max=4), keys=KEYS)
IDS = Listed(dialect=IdCursor(limit_default=3, limit_max=4, row="/rows/{id}", total="total"), keys=KEYS)
FIELDS = Listed(dialect=Cursor(seal=Seal((b"s" * 32,), 60), limit_default=3, fields="fields"), keys=KEYS)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("aAbé"), st.none() | st.integers(0, 2)), max_size=24)
ORDERS = st.sampled_from(["", "name", "-name", "-rank,name", "rank,-id", "-id", "-name,-rank,id", "city", "-city,rank"])


def divided(table: list[tuple[int, str, int | None]]) -> Parts:
    parts: Parts = {"s0": [], "s1": [], "s2": []}
    for n, (place, name, rank) in enumerate(table):
        row = {"id": f"R{n:02d}", "name": name, "rank": rank, "v": {"city": name, "kept": "no"} if rank else None}
        parts[f"s{place}"].append(row)
    return parts


def value(row: Row, name: str) -> Any:
    return row["v"] and row["v"]["city"] if name == "city" else row[name]


def in_order(rows: list[Row], order: str) -> list[Row]:
    keys = [(name.removeprefix("-"), name.startswith("-")) for name in [*order.split(","), "id"] if name]

    def compare(a: Row, b: Row) -> int:
        for name, down in keys:
            x, y = value(a, name), value(b, name)
            if x != y:
                above = x is None if x is None or y is None else x > y
                return -1 if above == down else 1
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def served(rows: list[Row], target: str, *, ids_page: bool) -> Reply:
    """An application that pages by ids, or by cursors: these count rows, and ids that it does not have are refused."""
    path, _, query = target.partition("?")
    values = dict(parse_qsl(query))
    if path != "/rows":
        found = [row for row in rows if row["id"] == path.rpartition("/")[2]]
        return Reply(200, [], json.dumps(found[0]).encode()) if found else Reply(404, [], b"{}")
    shown, limit = in_order(rows, values.get("order", "")), min(int(values["limit"]), 4)
    ids = [row["id"] for row in shown]
    if "ending_before" in values:
        shown = shown[: ids.index(values["ending_before"])]
        body: dict[str, Any] = {"data": shown[-limit:], "has_more": len(shown) > limit}
        return Reply(200, [], json.dumps(body).encode())
    start = ids.index(values["starting_after"]) + 1 if "starting_after" in values else int(values.get("cursor", 0))
    page, more = shown[start : start + limit], start + limit < len(shown)
    body = {"data": page, "has_more": more}
    if not ids_page:
        body = {"items": page, "next_cursor": str(start + limit) if more else None}
    return Reply(200, [], json.dumps(body).encode())


def asked(rule: Listed, parts: Parts, query: str, epoch: int = 0) -> Any:
    merging = rule.begin(request(f"GET /rows?{query}"), tuple(parts), Moment(1.0, epoch))
    asks = merging.asks()
    for _ in range(60):
        replies = {a.shard: served(parts[a.shard], a.target.decode(), ids_page=rule is IDS) for a in asks}
        outcome = merging.take(replies)
        if isinstance(outcome, Reply):
            assert outcome.status == 200
            return json.loads(outcome.body)
        asks = outcome
    raise AssertionError("it never ends")


@settings(max_examples=150)
@given(ROWS, ORDERS, st.lists(st.integers(1, 4), min_size=1, max_size=5), st.lists(st.booleans(), max_size=9))
def test_pages_by_our_cursors_are_the_list(
    table: list[tuple[int, str, int | None]], order: str, sizes: list[int], moves: list[bool]
) -> None:
    """Also when rows move to another shard between two pages: the epoch says so."""
    parts, seen, cursor, epoch = divided(table), [], "", 0
    expected = in_order([row for part in parts.values() for row in part], order)
    for n in range(40):
        limit = sizes[n % len(sizes)]
        body = asked(CURSORS, parts, f"limit={limit}&order={order or 'id'}{cursor}", epoch)
        assert len(body["items"]) == min(limit, len(expected) - len(seen))
        seen += body["items"]
        if not body["next_cursor"]:
            break
        cursor = f"&cursor={body['next_cursor']}"
        if moves[n % 10 : n % 10 + 1] == [True]:
            epoch += 1
            parts = {"s0": parts["s2"], "s1": parts["s0"], "s2": parts["s1"]}
    assert seen == expected


@settings(max_examples=150)
@given(ROWS, ORDERS, st.integers(1, 4), st.data())
def test_the_page_behind_or_before_any_row_is_the_lists(
    table: list[tuple[int, str, int | None]], order: str, limit: int, data: st.DataObject
) -> None:
    parts = divided(table)
    expected = in_order([row for part in parts.values() for row in part], order)
    if not expected:
        return
    n = data.draw(st.integers(0, len(expected) - 1))
    query = f"limit={limit}&order={order or 'id'}"
    behind = asked(IDS, parts, f"{query}&starting_after={expected[n]['id']}")
    assert behind["data"] == expected[n + 1 : n + 1 + limit]
    assert behind["has_more"] == (n + 1 + limit < len(expected))
    before = asked(IDS, parts, f"{query}&ending_before={expected[n]['id']}")
    assert before["data"] == expected[max(0, n - limit) : n]
    assert before["has_more"] == (n > limit)


def test_what_a_nested_sort_key_is_in_is_asked_for_and_taken_out_again() -> None:
    """And of it, a cursor holds the key alone."""
    row = {"id": "R1", "name": "a", "v": {"city": "Ulm", "kept": "no"}}
    merging = FIELDS.begin(request("GET /rows?fields=name&order=-city&limit=1"), ("s0",), Moment(1.0))
    (ask,) = merging.asks()
    assert dict(parse_qsl(ask.target.decode().partition("?")[2]))["fields"] == "name,v,id"
    outcome = merging.take({"s0": Reply(200, [], json.dumps({"items": [row], "next_cursor": "n"}).encode())})
    assert isinstance(outcome, Reply)
    body = json.loads(outcome.body)
    assert body["items"] == [{"name": "a"}]
    inside = base64.urlsafe_b64decode(body["next_cursor"] + "==")
    assert b'{"id":"R1","v":{"city":"Ulm"}}' in inside


def test_a_list_begins_near_the_value_of_a_nested_sort_key() -> None:
    dialect = IdCursor(limit_default=3, row="/rows/{id}", seeks={"city": Seek(down="city_max")})
    rule = Listed(dialect=dialect, keys=KEYS, default_order=("-city",))
    row = {"id": "R1", "name": "a", "rank": 1, "v": {"city": "Ulm & Bern"}}
    merging = rule.begin(request("GET /rows?starting_after=R1"), ("s0", "s1"))
    asks = merging.take({"s0": Reply(200, [], json.dumps(row).encode()), "s1": Reply(404, [], b"{}")})
    assert not isinstance(asks, Reply)
    asked = {ask.shard: dict(parse_qsl(ask.target.decode().partition("?")[2])) for ask in asks}
    assert asked == {"s0": {"limit": "3", "starting_after": "R1"}, "s1": {"limit": "3", "city_max": "Ulm & Bern"}}
