"""Pages by the ids of rows: the shard that has the row is found, and the others are read near it."""

import json

import pytest

from shardgate.core.contracts import Moment
from shardgate.core.dialect.id_cursor import IdCursor, Seek
from shardgate.core.errors import KeyOnTwoShardsError, UnreadablePageError
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
