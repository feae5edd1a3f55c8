"""Pages by the ids of rows: the shard that has the row is found, and the others are read near it."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shardgate.core.contracts import Ask, Moment
from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.id_cursor import IdCursor, Seek
from shardgate.core.errors import BrokenReplyError, KeyOnTwoShardsError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

SHARDS = ("north", "south")
LIST = Listed(
    dialect=IdCursor(limit_default=2, row="/rows/{id}", seeks={"price": Seek(up="price_min")}),
    keys={"id": "text", "price": "number"},
    default_order=("price",),
)


def row(name: str, price: int) -> dict[str, object]:
    return {"id": name, "price": price}


def ok(body: object) -> Reply:
    return Reply(200, [], json.dumps(body).encode())


def test_the_shards_are_asked_who_has_the_row_and_then_read_from_it() -> None:
    merging = LIST.begin(request("GET /rows?starting_after=b"), SHARDS, Moment())
    assert [ask.target for ask in merging.asks()] == [b"/rows/b", b"/rows/b"]
    asks = merging.take({"north": Reply(404, []), "south": ok(row("b", 5))})
    assert not isinstance(asks, Reply)
    assert [(ask.shard, ask.target) for ask in asks] == [
        ("north", b"/rows?limit=2&price_min=5"),
        ("south", b"/rows?starting_after=b&limit=2"),
    ]
    reply = merging.take(
        {
            "north": ok({"data": [row("a", 5), row("c", 6)], "has_more": False}),
            "south": ok({"data": [row("d", 7)], "has_more": False}),
        }
    )
    assert isinstance(reply, Reply)
    assert [each["id"] for each in json.loads(reply.body)["data"]] == ["c", "d"]


def test_a_row_that_comes_while_shards_are_asked_on_fails_no_page() -> None:
    # Found: a client that follows a list by the last id that it has got 502 whenever a row was appended between two
    # requests, as if the application limited its pages.
    rule = Listed(dialect=IdCursor(limit_default=50, has_more=None), keys={"id": "number"})
    shown = {"north": list(range(1, 11)), "south": [20]}

    def said(asks: Sequence[Ask]) -> dict[str, Reply]:
        found = {}
        for ask in asks:
            after = int(dict(parse_qsl(ask.target.decode().partition("?")[2])).get("starting_after", 0))
            found[ask.shard] = ok({"data": [{"id": each} for each in shown[ask.shard] if each > after][:most]})
        return found

    for most in (50, 10):
        merging = rule.begin(request("GET /rows"), SHARDS, Moment())
        asks: Any = merging.take(said(merging.asks()))
        assert [(ask.shard, ask.target) for ask in asks] == [("north", b"/rows?starting_after=10&limit=50")]
        shown["north"].append(11)
        asks = merging.take(said(asks))
        assert [(ask.shard, ask.target) for ask in asks] == [("north", b"/rows?limit=50")]
        if most == 50:
            reply: Any = merging.take(said(asks))
            assert [each["id"] for each in json.loads(reply.body)["data"]] == [*range(1, 11), 20]
            shown["north"].pop()
            continue
        with pytest.raises(BrokenReplyError, match="limit_max"):
            merging.take(said(asks))


def test_members_around_a_page_say_where_a_cursor_places_it() -> None:
    # Found: a page behind a row was the first one, had no page before it, and the size of the list was its rows.
    echoes = {"first": "is_first", "back": "has_previous", "last": "is_last", "on": "has_next", "all": "total"}
    dialect = IdCursor(limit_default=2, has_more=None, echoes=echoes)
    rule = Listed(dialect=dialect, keys={"id": "number"})
    around = {"first": True, "back": False, "last": True, "on": False}
    said = []
    for query in ("", "?starting_after=4", "?ending_before=4"):
        merging = rule.begin(request(f"GET /rows{query}"), SHARDS, Moment())
        merging.asks()
        reply: Any = merging.take({shard: ok({"data": [{"id": n}], **around}) for n, shard in enumerate(SHARDS)})
        body = json.loads(reply.body)
        said.append([body[name] for name in around])
    assert said == [[True, False, True, False], [False, True, True, False], [True, False, False, True]]
    merging = rule.begin(request("GET /rows?starting_after=4"), SHARDS, Moment())
    merging.asks()
    with pytest.raises(BrokenReplyError, match="how many pages its list has"):
        merging.take({shard: ok({"data": [{"id": 5 + n}], **around, "all": 9}) for n, shard in enumerate(SHARDS)})


@pytest.mark.parametrize("echo", ["page", "offset", "from", "next_page", "previous_offset"])
def test_a_page_by_a_cursor_has_no_number(echo: Any) -> None:
    # Found: such a member said of each page what is true of the first one, with 200.
    with pytest.raises(ValueError, match="a page by a cursor has no"):
        IdCursor(limit_default=2, echoes={"m": echo})
    with pytest.raises(ValueError, match="a page by a cursor has no"):
        Cursor(seal=Seal((b"s" * 32,), 60), limit_default=2, echoes={"m": echo})


def test_a_row_that_two_shards_have_is_an_error_that_names_them_in_the_log() -> None:
    merging = LIST.begin(request("GET /rows?starting_after=b"), SHARDS, Moment())
    merging.asks()
    with pytest.raises(KeyOnTwoShardsError) as caught:
        merging.take({shard: ok(row("b", 5)) for shard in SHARDS})
    assert caught.value.log == "row `b` is on north, south"


def test_a_row_that_no_shard_has_is_the_applications_to_refuse() -> None:
    merging = LIST.begin(request("GET /rows?starting_after=gone"), SHARDS, Moment())
    merging.asks()
    asks = merging.take({shard: Reply(404, []) for shard in SHARDS})
    assert not isinstance(asks, Reply)
    assert [ask.target for ask in asks] == [b"/rows?starting_after=gone"] * 2
    with pytest.raises(UnreadablePageError, match="no shard has the row that the page begins at"):
        merging.take({shard: ok({"data": [], "has_more": False}) for shard in SHARDS})


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("starting_after=a&ending_before=b", "`starting_after` and `ending_before`: a page is behind one row"),
        ("starting_after=", "`starting_after=`: the id is empty"),
        ("limit=0", "`limit=0`: a page has at least one row"),
    ],
)
def test_a_page_that_cannot_be_read_is_named(query: str, detail: str) -> None:
    merging = LIST.begin(request(f"GET /rows?{query}"), SHARDS, Moment())
    merging.asks()
    with pytest.raises(UnreadablePageError) as caught:
        merging.take({shard: ok({"data": [], "has_more": False}) for shard in SHARDS})
    assert detail in caught.value.detail
