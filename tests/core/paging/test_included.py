"""What a page includes: reached from its rows, once each, in the order that the shards' own replies show."""

import json
from typing import Any

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.paging.included import included


def one(name: str, *, owner: str = "", **more: Any) -> dict[str, Any]:
    """A resource `kind-id`, and the one that it refers to."""
    kind, _, number = name.partition("-")
    linked = {"type": owner.partition("-")[0], "id": owner.partition("-")[2]} if owner else None
    return {"type": kind, "id": number, "relationships": {"owner": {"data": linked}}, **more}


def body(rows: list[Any], resources: list[Any] | None = None) -> bytes:
    return json.dumps({"data": rows, **({} if resources is None else {"included": resources})}).encode()


def names(page: list[Any], *bodies: bytes, query: str = "", absent: bool = False) -> list[str] | None:
    found = included(query, json.dumps(page).encode(), bodies, absent=absent)
    return None if found is None else [f"{each['type']}-{each['id']}" for each in json.loads(found)]


A, B = one("row-1", owner="man-2"), one("row-2", owner="man-1")
TWO, ONE = one("man-2", owner="city-1"), one("man-1", owner="city-1")
CITY = one("city-1")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([TWO, ONE, CITY], ["man-2", "man-1", "city-1"]),
        ([TWO, CITY, ONE], ["man-2", "city-1", "man-1"]),
        ([CITY, ONE, TWO], ["city-1", "man-1", "man-2"]),
        ([CITY, TWO, ONE], ["city-1", "man-2", "man-1"]),
        ([ONE, CITY, TWO], ["man-2", "man-1", "city-1"]),
    ],
)
def test_the_order_is_that_of_the_shards_own_replies(order: list[Any], expected: list[str]) -> None:
    assert names([A, B], body([A, B], order), body([], [])) == expected


def test_what_is_asked_for_says_how_deep() -> None:
    c, d = one("row-3", owner="row-4"), one("row-4", owner="row-5")
    shard = body([c, d, one("row-5")], [])
    assert names([c], shard, query="include=owner") == ["row-4"]
    assert names([c], shard, query="include=owner.owner") == ["row-4", "row-5"]
    assert names([c], body([c, d], [one("row-5")])) == ["row-4", "row-5"]
    assert names([c], body([c], [d]), body([d], []), query="x=1") == ["row-4"]


def test_where_there_is_nothing_the_replies_say_how_that_is_written() -> None:
    bare = one("row-9")
    assert names([bare], body([bare])) is None
    assert names([bare], body([bare], [])) == []
    assert names([bare], body([bare]), body([A], [TWO])) is None
    with pytest.raises(BrokenReplyError, match="no row of the page refers to a resource"):
        included("", json.dumps([bare]).encode(), [body([bare, A], [TWO])], absent=None)
    assert names([bare], body([bare, A], [TWO])) == []
    assert names([bare], body([bare, A], [TWO]), absent=True) is None
    assert names([bare], body([bare, A], [TWO]), body([], []), absent=True) == []


@pytest.mark.parametrize(
    ("bodies", "where", "log"),
    [
        ([body([A], [TWO]), body([], [CITY])], "member data", "1 included; no `relationships` lead to city 1"),
        ([body([A], [TWO]), body([A], [{**TWO, "n": 1}])], "member included", "man 2 is `"),
        ([body([A], [{"type": "man", "id": 2}])], "members data and included", "Expected `str`"),
    ],
)
def test_what_cannot_be_shown_is_a_broken_reply(bodies: list[bytes], where: str, log: str) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        names([A], *bodies)
    assert caught.value.where == where
    assert log in caught.value.log


def test_the_same_resource_in_other_words_is_the_same() -> None:
    assert names([A], body([A], [TWO]), body([A], [dict(reversed(TWO.items()))])) == ["man-2"]
