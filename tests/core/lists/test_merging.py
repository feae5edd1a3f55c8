"""One list out of several: what the shards are asked, and what is said of replies that are not as they should be."""

import json

import pytest

from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError, OrderBrokenError, UnreadablePageError
from shardgate.core.http import Reply
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
    reply = take("limit=3", north=listed("a", "c", count=2), south=listed("b", "d", count=7))
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
    assert merging.explain() == ["sorted by price down, id up", "rows 5 to 8 of the merged list are the page"]
