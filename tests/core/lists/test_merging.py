"""One list out of several: what the shards are asked, and what is said of replies that are not as they should be."""

import json
from typing import Any

import msgspec
import pytest

from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError, OrderBrokenError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.limits import WHOLE_ROWS_MAX
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

SHARDS = ("north", "south")
LIST = Listed(
    dialect=Offset(count_header="X-Count", past_end=404), keys={"id": "text", "price": "number"}, default_order=("id",)
)


def listed(*ids: str, count: int | None = None) -> Reply:
    fields = [] if count is None else [(b"X-Count", b"%d" % count)]
    return Reply(200, fields, json.dumps([{"id": each, "price": 1} for each in ids]).encode())


def take(query: str, **replies: Reply) -> Reply:
    merging = LIST.begin(request(f"GET /events?{query}"), SHARDS)
    merging.asks()
    reply = merging.take(replies)
    assert isinstance(reply, Reply)
    return reply


def test_a_page_and_its_count() -> None:
    reply = take("limit=3", north=listed("a", "c", count=2), south=listed("b", "d", "e", count=7))
    assert [row["id"] for row in json.loads(reply.body)] == ["a", "b", "c"]
    assert reply.field(b"x-count") == b"9"


def test_the_shards_are_asked_for_all_rows_before_the_end_of_the_page() -> None:
    merging = LIST.begin(request("GET /events?limit=3&offset=5&q=a"), SHARDS)
    assert [ask.target for ask in merging.asks()] == [b"/events?q=a&limit=8"] * 2


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("order=pricce", "`order`: `pricce` is no sort key of this list; there are id, price"),
        ("limit=ten", "`limit=ten`: a whole number is accepted"),
    ],
)
def test_a_page_that_cannot_be_read_is_sent_as_it_came_and_named_if_the_shards_accept_it(
    query: str, problem: str
) -> None:
    merging = LIST.begin(request(f"GET /events?{query}"), SHARDS)
    assert [ask.target for ask in merging.asks()] == [f"/events?{query}".encode()] * 2
    with pytest.raises(UnreadablePageError) as caught:
        merging.take({shard: listed("a") for shard in SHARDS})
    assert caught.value.detail == f"a paging or sorting parameter cannot be read: {problem}"


def test_rows_out_of_order_name_the_shard_the_row_and_the_keys() -> None:
    with pytest.raises(OrderBrokenError) as caught:
        take("limit=3", north=listed("a", "c"), south=listed("b", "z", "x"))
    assert (caught.value.shard, caught.value.where) == ("south", "row 2, counted from 0")
    assert caught.value.log == "`x` stands behind `z`"


def test_a_count_that_is_no_number_names_the_header() -> None:
    bad = listed("b")
    bad.fields.append((b"X-Count", b"many"))
    with pytest.raises(BrokenReplyError) as caught:
        take("limit=3", north=listed("a", count=1), south=bad)
    assert (caught.value.shard, caught.value.where) == ("south", "header X-Count")


def test_a_count_that_only_some_shards_state() -> None:
    with pytest.raises(BrokenReplyError, match="others do not") as caught:
        take("limit=3", north=listed("a", count=1), south=listed("b"))
    assert "south" in caught.value.log


def test_a_page_behind_the_end_is_the_shards_to_refuse() -> None:
    merging = LIST.begin(request("GET /events?limit=3&offset=5"), SHARDS)
    merging.asks()
    asks = merging.take({"north": listed("a", count=1), "south": listed("b", count=1)})
    assert not isinstance(asks, Reply)
    assert [ask.target for ask in asks] == [b"/events?limit=3&offset=5"] * 2
    with pytest.raises(BrokenReplyError, match="behind the end of the whole list") as caught:
        merging.take({shard: listed() for shard in SHARDS})
    assert caught.value.log == "offset 5, size of the whole list 2, expected a refusal"


def test_how_a_page_is_made_is_explained() -> None:
    merging = LIST.begin(request("GET /events?limit=3&offset=5&order=-price"), SHARDS)
    assert merging.explain() == [
        "sorted by price down, id up",
        "rows 5 to 8 of the merged list are the page",
        "cost of each shard: 1 call, for 8 rows",
    ]


def test_what_a_deep_page_costs_is_explained() -> None:
    deep = LIST.begin(request("GET /events?limit=20&offset=50000"), SHARDS).explain()
    assert any(
        "1 call for 21 rows where an earlier page ended here; 3 calls in 2 rounds, for about 60 rows" in line
        for line in deep
    )
    whole = LIST.begin(request("GET /events"), SHARDS).explain()
    assert "cost of each shard: 1 call, for all its rows" in whole


def test_the_rows_that_shards_are_asked_for_are_counted() -> None:
    merging = LIST.begin(request("GET /events?limit=3&offset=5&order=-price"), SHARDS)
    merging.asks()
    assert merging.rows_asked == 8 * len(SHARDS)
    whole = LIST.begin(request("GET /events"), SHARDS)
    whole.asks()
    assert whole.rows_asked == 0


@pytest.mark.parametrize("changed", [{}, {"tie": None}, {"first_pages": "likely"}])
@pytest.mark.parametrize("query", ["limit=999999999999999999999", f"limit={'9' * 400}", "limit=20&offset=9" + "0" * 30])
def test_a_page_of_any_size_does_not_overflow_what_is_counted(changed: dict[str, Any], query: str) -> None:
    # Found: four such requests, and the metrics of a worker could not be written any more; no deadline was kept then.
    rule = msgspec.structs.replace(LIST, **changed)
    merging = rule.begin(request(f"GET /events?{query}"), SHARDS)
    merging.asks()
    assert merging.rows_asked <= WHOLE_ROWS_MAX * len(SHARDS)


def test_a_shard_without_rows_is_an_empty_list_where_the_rule_says_so() -> None:
    # Found (L1): the shard that said 404 "because it has no rows" was the whole reply.
    rule = msgspec.structs.replace(LIST, not_here=(204, 404))
    for nothing in (Reply(204, []), Reply(404, [], b"none")):
        merging = rule.begin(request("GET /events?limit=3"), SHARDS)
        merging.asks()
        reply = merging.take({"north": nothing, "south": listed("b", "d", "e", count=7)})
        assert isinstance(reply, Reply)
        assert [row["id"] for row in json.loads(reply.body)] == ["b", "d", "e"]
        assert reply.field(b"x-count") == b"7"
        nobody = rule.begin(request("GET /events?limit=3"), SHARDS).take(dict.fromkeys(SHARDS, nothing))
        assert nobody is nothing


def test_l1_a_shard_without_rows_where_no_size_is_stated() -> None:
    # Found: a shard that has nothing counted as one that states a size, so that the others had to state theirs: 502.
    for dialect in (Offset(), Envelope(has_more="has_more"), IdCursor(items="items", limit_default=3)):
        rule = Listed(dialect=dialect, keys={"id": "text"}, not_here=(404,))
        for places in (SHARDS, SHARDS[::-1]):
            body: Any = [{"id": "b"}, {"id": "d"}]
            body = body if isinstance(dialect, Offset) else {"items": body, "has_more": False}
            replies = (Reply(404, [], b"none"), Reply(200, [], json.dumps(body).encode()))
            merging = rule.begin(request("GET /events?limit=3"), SHARDS)
            merging.asks()
            reply = merging.take(dict(zip(places, replies, strict=True)))
            assert isinstance(reply, Reply)
            assert json.loads(reply.body) == body


def hidden(query: str, north: list[dict[str, Any]], south: list[dict[str, Any]], rule: Listed) -> list[str]:
    replies = {"north": north, "south": south}
    merging = rule.begin(request(f"GET /events?{query}"), SHARDS)
    merging.asks()
    reply = merging.take({shard: Reply(200, [], json.dumps(rows).encode()) for shard, rows in replies.items()})
    assert isinstance(reply, Reply)
    assert bool(merging.learned()) == (rule.tie is not None)
    return [row["id"] for row in json.loads(reply.body)]


def test_a_hidden_tie_breaker_keeps_the_order_of_each_shard() -> None:
    # Found (L5): rows of one price came in the order of their ids, which the application does not sort by.
    rule = Listed(dialect=Offset(), keys={"price": "number"}, default_order=("price",), tie=None)
    north = [{"id": "z", "price": 1}, {"id": "a", "price": 1}, {"id": "m", "price": 3}]
    south = [{"id": "y", "price": 1}, {"id": "b", "price": 2}]
    assert hidden("", north, south, rule) == ["z", "a", "y", "b", "m"]
    assert hidden("limit=2&offset=1", north, south, rule) == ["a", "y"]
    deep = rule.begin(request("GET /events?limit=10&offset=9000"), SHARDS).asks()
    assert [ask.target for ask in deep] == [b"/events?limit=9010"] * 2  # read whole: equal rows cannot be searched for


def test_a_tie_breaker_that_descends_and_one_that_follows_the_last_key() -> None:
    # Found (L5): `tie: -id` was a mistake, and ties in the direction of the key could not be said.
    keys: Any = {"id": "text", "price": "number"}
    down = Listed(dialect=Offset(), keys=keys, default_order=("price",), tie="-id")
    rows = ([{"id": "c", "price": 1}, {"id": "a", "price": 1}], [{"id": "b", "price": 1}])
    assert hidden("", *rows, down) == ["c", "b", "a"]
    follows = Listed(dialect=Offset(), keys=keys, default_order=("price",), tie_follows=True)
    assert hidden("order=-price", *rows, follows) == ["c", "b", "a"]
    ascending = ([{"id": "a", "price": 1}, {"id": "c", "price": 1}], [{"id": "b", "price": 1}])
    assert hidden("", *ascending, follows) == ["a", "b", "c"]


def test_a_list_that_is_null_is_empty() -> None:
    # Found (L3): an application in Go writes an empty list as `null`.
    null = Reply(200, [(b"X-Count", b"0")], b"null")
    assert json.loads(take("limit=3", north=null, south=listed("b", count=1)).body)[0]["id"] == "b"
    assert take("limit=3", north=null, south=null).body == b"null"
