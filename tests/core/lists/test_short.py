"""The short way to a page gives what the long way gives: the same bytes, or nothing, so that the long way decides."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import OrderBrokenError, ShardgateError
from shardgate.core.http import Reply
from shardgate.core.lists.merging import ListMerging
from shardgate.core.lists.positions import alone
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import SortKey
from tests.core.requests import request

SHARDS = ("north", "south", "west")
KEYS: dict[str, Any] = {
    "id": "text",
    "name": SortKey(type="text", collation="case_insensitive"),
    "price": "number",
    "day": SortKey(type="time", nulls="last"),
}
RULES = [
    Listed(dialect=Offset(), keys=KEYS),
    Listed(dialect=Offset(count_header="X-Count", limit_default=4), keys=KEYS),
    Listed(dialect=Envelope(total="count", has_more="more"), keys=KEYS),
]
QUERIES = [
    "",
    "limit=3",
    "limit=2&offset=3",
    "limit=1&offset=900",
    "limit=0",
    "limit=5&order=-id",
    "limit=4&order=name",
    "limit=4&order=-price,id",
    "limit=4&order=day,-name&offset=1",
    "limit=3&offset=600",
    "order=none",
]


def rows_of(draw: st.DrawFn, shard: str, query: str) -> bytes:
    names = st.sampled_from(["a", "A", "b", "é", "Z", "😀"])
    prices = st.sampled_from([1, 1.5, 2, 10**20, "1"] if draw(st.integers(0, 9)) == 0 else [1, 1.5, 2, 10**20])
    days = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2027-01-01T00:00:00Z"])
    rows: list[dict[str, Any]] = [
        {"x": [shard, {}], "id": f"{n}{shard}", "name": draw(names), "price": draw(prices), "day": draw(days)}
        for n in range(draw(st.integers(0, 6)))
    ]
    if draw(st.integers(0, 7)):
        in_order(rows, query)
    space = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
    text = json.dumps(rows, separators=space, ensure_ascii=draw(st.booleans()))
    odd = draw(st.integers(0, 40))
    if odd == 0:
        return b"null"
    if odd == 1:
        return text.replace('"price"', '"cost"').encode()
    if odd == 2:
        return text.encode()[:-1]
    if odd == 3:
        return text.replace("A", "\\ud83d").encode()
    if odd == 4:
        return text.encode().replace(b"a", b"\xff")
    return text.encode()


def in_order(rows: list[dict[str, Any]], query: str) -> None:
    order = next((part[6:].split(",") for part in query.split("&") if part.startswith("order=")), [])
    for key in reversed([*order, "id"]):
        name = key.removeprefix("-")
        rows.sort(key=lambda row: comparable(row.get(name), name), reverse=key.startswith("-"))


def comparable(value: Any, name: str) -> Any:
    if name == "name":
        return value.lower()
    if name == "day":
        return (2, "") if value is None else (1, value.replace("01:00:00+01:00", "00:00:00Z"))
    return (isinstance(value, str), value)


def reply_of(draw: st.DrawFn, rule: Listed, rows: bytes, states: str) -> Reply:
    status = 200 if draw(st.integers(0, 30)) else draw(st.sampled_from([404, 204, 500]))
    fields = [(b"Content-Type", b"application/json")]
    count = draw(st.integers(0, 99))
    if isinstance(rule.dialect, Envelope):
        return Reply(status, fields, b'{"count": %d, "items": %b, "more": true}' % (count, rows))
    if states == "all" or (states == "some" and draw(st.booleans())):
        fields += [(b"x-CoUnt", b"%d" % count)]
    return Reply(status, fields, rows)


def outcome(merging: ListMerging, replies: dict[str, Reply]) -> Any:
    merging.asks()
    try:
        taken = merging.take(replies)
    except ShardgateError as error:
        return type(error), error.detail, error.shard, error.where, error.log
    if isinstance(taken, Reply):
        return taken.status, taken.fields, taken.body, list(merging.learned())
    return list(taken)


def both_ways(rule: Listed, query: str) -> tuple[ListMerging, ListMerging]:
    asked = request(f"GET /events?{query}" if query else "GET /events")
    short, long = rule.begin(asked, SHARDS), rule.begin(asked, SHARDS)
    assert isinstance(short, ListMerging)
    assert isinstance(long, ListMerging)
    long._short = None
    return short, long


@given(st.data())
def test_both_ways_give_the_same(data: st.DataObject) -> None:
    rule, query = data.draw(st.sampled_from(RULES)), data.draw(st.sampled_from(QUERIES))
    short, long = both_ways(rule, query)
    assert list(short.asks()) == list(long.asks())

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Reply]:
        states = draw(st.sampled_from(["all", "none", "some"]))
        return {shard: reply_of(draw, rule, rows_of(draw, shard, query), states) for shard in SHARDS}

    replies = data.draw(drawn())
    assert outcome(short, replies) == outcome(long, replies)


def listed(*ids: str) -> Reply:
    return Reply(200, [], json.dumps([{"id": each} for each in ids]).encode())


def test_a_usual_page_takes_the_short_way_and_an_unusual_reply_the_long_one() -> None:
    for south, is_short in ((listed("b", "d"), True), (Reply(200, [], b"null"), True), (Reply(200, [], b"{}"), False)):
        short, _ = both_ways(RULES[0], "limit=3")
        replies = {"north": listed("a", "c"), "south": south, "west": listed()}
        result = outcome(short, replies)
        assert (short._made is None) is (is_short and south.body != b"null")
        assert (result[0] == 200) is is_short


@pytest.mark.parametrize("order", ["", "order=-id&", "order=-price,id&"])
def test_rows_out_of_order_are_never_merged(order: str) -> None:
    rows = [{"id": each, "price": 1} for each in "ab"]
    wrong = rows if order.startswith("order=-id") else rows[::-1]
    bodies = {shard: Reply(200, [], json.dumps(wrong if shard == "west" else []).encode()) for shard in SHARDS}
    short, _ = both_ways(RULES[0], f"{order}limit=5")
    short.asks()
    with pytest.raises(OrderBrokenError) as caught:
        short.take(bodies)
    assert caught.value.shard == "west"


@pytest.mark.parametrize(
    ("query", "is_short"), [("limit=3", True), ("limit=1&offset=499", True), ("limit=1&offset=500", False)]
)
def test_where_a_next_page_is_worth_remembering_the_long_way_does(query: str, is_short: bool) -> None:
    merging = ListMerging(RULES[0], request(f"GET /events?{query}"), SHARDS, alone(9).at(0, SHARDS))
    assert (merging._short is not None) is is_short


def test_a_query_is_read_once_and_a_rule_with_the_same_query_has_its_own() -> None:
    first, _ = both_ways(RULES[0], "limit=3&q=1")
    again, _ = both_ways(RULES[0], "limit=3&q=1")
    other, _ = both_ways(RULES[1], "limit=3&q=1")
    assert first._short is again._short
    assert other._short is not first._short
