"""Pages by opaque cursors: what a client may send, and what it is told where that cannot be read."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shardgate.core.contracts import Moment
from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.errors import BadCursorError, BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

SHARDS = ("north", "south")
SEAL = Seal((b"s" * 32,), 60)
LIST = Listed(dialect=Cursor(seal=SEAL, limit_default=2), keys={"id": "text", "price": "number"})


def first_page(query: str = "") -> dict[str, Any]:
    merging = LIST.begin(request(f"GET /events?{query}"), SHARDS, Moment(1.0))
    merging.asks()
    reply = merging.take({"north": listed("a", "c", following="n1"), "south": listed("b", "d", following="s1")})
    assert isinstance(reply, Reply)
    page: dict[str, Any] = json.loads(reply.body)
    return page


def listed(*ids: str, following: str | None = None) -> Reply:
    rows = [{"id": each, "price": 1} for each in ids]
    return Reply(200, [], json.dumps({"items": rows, "next_cursor": following}).encode())


def test_a_page_is_merged_and_has_a_cursor_of_the_gateway() -> None:
    page = first_page()
    assert [row["id"] for row in page["items"]] == ["a", "b"]
    assert SEAL.open(page["next_cursor"], 2.0).places == (None, None)


def test_the_next_page_goes_on_behind_the_last_row() -> None:
    merging = LIST.begin(request(f"GET /events?cursor={first_page()['next_cursor']}"), SHARDS, Moment(2.0))
    assert [ask.target for ask in merging.asks()] == [b"/events?limit=2"] * 2
    rounds = merging.take({"north": listed("a", "c", following="n1"), "south": listed("b", "d", following="s1")})
    assert not isinstance(rounds, Reply)
    reply = merging.take({ask.shard: listed("e" if ask.shard == "north" else "f") for ask in rounds})
    assert isinstance(reply, Reply)
    assert [row["id"] for row in json.loads(reply.body)["items"]] == ["c", "d"]


def test_a_page_that_is_found_by_its_keys_alone_has_one_before_it() -> None:
    # Found: where a shard refused its own cursor, the page said that it was the first one, with 200.
    rule = Listed(dialect=Cursor(seal=SEAL, limit_default=2, previous="back"), keys={"id": "text"})
    given = {"north": ["a", "c", "e"], "south": ["b", "d", "f"]}

    def page(ids: list[str], cursor: int) -> Reply:
        following = str(cursor + 2) if len(ids) > cursor + 2 else None
        body = {"items": [{"id": each} for each in ids[cursor : cursor + 2]], "next_cursor": following, "back": None}
        return Reply(200, [], json.dumps(body).encode())

    def merged(query: str, *, refuses: bool = False) -> dict[str, Any]:
        merging = rule.begin(request(f"GET /events{query}"), SHARDS, Moment(1.0))
        asks: Any = merging.asks()
        while not isinstance(asks, Reply):
            replies = {}
            for ask in asks:
                cursor = int(dict(parse_qsl(ask.target.decode().partition("?")[2])).get("cursor", 0))
                replies[ask.shard] = Reply(400, []) if refuses and cursor else page(given[ask.shard], cursor)
            refuses = False
            asks = merging.take(replies)
        found: dict[str, Any] = json.loads(asks.body)
        return found

    second = merged(f"?cursor={merged('')['next_cursor']}")
    third = f"?cursor={second['next_cursor']}"
    assert merged(third)["items"] == merged(third, refuses=True)["items"] == [{"id": "e"}, {"id": "f"}]
    assert merged(third)["back"]
    assert merged(third, refuses=True)["back"]


@pytest.mark.parametrize(
    ("query", "at", "detail"),
    [
        ("cursor={c}&q=other", 2.0, "was made for another path, filter or order"),
        ("cursor={c}&order=price", 2.0, "was made for another path, filter or order"),
        ("cursor=x{c}", 2.0, "is damaged, or was not made by this gateway"),
        ("cursor={c}", 62.0, "has expired"),
    ],
)
def test_a_cursor_that_cannot_be_used_says_why(query: str, at: float, detail: str) -> None:
    cursor = first_page()["next_cursor"]
    with pytest.raises(BadCursorError, match=detail) as caught:
        LIST.begin(request(f"GET /events?{query.format(c=cursor)}"), SHARDS, Moment(at))
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "`limit=0`: a page has at least one row"),
        ("limit=x", "`limit=x`: a whole number is accepted"),
        ("cursor=", "`cursor=`: the cursor is empty; leave it out for the first page"),
        ("order=pricce", "`order`: `pricce` is no sort key of this list; there are id, price"),
        ("order=price,-price", "`order`: `price` is named twice"),
    ],
)
def test_a_page_that_cannot_be_read_is_sent_as_it_came_and_named_if_the_shards_accept_it(
    query: str, detail: str
) -> None:
    merging = LIST.begin(request(f"GET /events?{query}"), SHARDS, Moment(1.0))
    assert [ask.target for ask in merging.asks()] == [f"/events?{query}".encode()] * 2
    with pytest.raises(UnreadablePageError) as caught:
        merging.take({shard: listed("a") for shard in SHARDS})
    assert detail in caught.value.detail


def test_a_shards_cursor_that_is_no_text_is_a_broken_reply_of_that_shard() -> None:
    merging = LIST.begin(request("GET /events"), SHARDS, Moment(1.0))
    merging.asks()
    bad = Reply(200, [], b'{"items":[],"next_cursor":"\\x"}')
    with pytest.raises(BrokenReplyError) as caught:
        merging.take({"north": listed("a"), "south": bad})
    assert caught.value.shard == "south"
