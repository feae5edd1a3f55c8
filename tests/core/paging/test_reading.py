"""What an application does with a bad value of a paging parameter, as its rule says it (L9)."""

import json
from typing import Any

import pytest

from shardgate.core.contracts import UNKNOWN, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.paging.reading import Reading
from tests.core.requests import request

LENIENT = Pages(
    page="page",
    limit="size",
    limit_default=10,
    limit_max=50,
    limit_over="default",
    reads={
        "size": Reading(bad="default", below="default", words={"max": 50}),
        "page": Reading(bad="default", below="least"),
    },
)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("size=0", Page(0, 10, (), None)),
        ("size=-5&page=2", Page(10, 10, (), None)),
        ("size=many", Page(0, 10, (), None)),
        ("size=500", Page(0, 10, (), None)),
        ("size=max&page=2", Page(50, 50, (), None)),
        ("size=&page=", Page(0, 10, (), None)),
        ("page=0", Page(0, 10, (), None)),
        ("page=-3", Page(0, 10, (), None)),
        ("page=x&size=5", Page(0, 5, (), None)),
        ("page=3&size=5", Page(10, 5, (), None)),
    ],
)
def test_a_bad_value_is_read_as_the_application_reads_it(query: str, page: Page) -> None:
    assert LENIENT.read_page(query) == page


@pytest.mark.parametrize("query", ["size=0", "page=0", "page=x", "size=-1"])
def test_a_bad_value_that_nothing_is_said_of_is_unknown(query: str) -> None:
    assert Pages(limit="size", limit_default=10, limit_max=50).read_page(query) is UNKNOWN


def test_a_shard_is_asked_for_what_the_value_means() -> None:
    merging = Listed(dialect=LENIENT, keys={"id": "text"}).begin(request("GET /events?size=0&q=a&page=x"), ["s0", "s1"])
    assert {ask.target for ask in merging.asks()} == {b"/events?q=a&size=10&page=1"}


def ids(query: str, bad: Any) -> list[str]:
    dialect = Offset(reads={"order": Reading(bad=bad)})
    rule = Listed(dialect=dialect, keys={"id": "text", "name": "text"}, default_order=("-id",))
    merging = rule.begin(request(f"GET /events?{query}"), ["s0", "s1"])
    rows = [[{"id": "b", "name": "x"}], [{"id": "a", "name": "y"}]]
    replies = {f"s{n}": Reply(200, [], json.dumps(body).encode()) for n, body in enumerate(rows)}
    assert {ask.target for ask in merging.asks()} == {f"/events?{query}".encode()}  # the shards read it themselves
    reply = merging.take(replies)
    assert isinstance(reply, Reply)
    return [row["id"] for row in json.loads(reply.body)]


def test_an_unknown_sort_key_is_left_out_or_means_the_default_order() -> None:
    assert ids("order=-name,colour", "ignore") == ["a", "b"]
    assert ids("order=-name,colour", "default") == ["b", "a"]
    assert ids("order=colour", "ignore") == ["b", "a"]


def test_a_parameter_that_the_dialect_does_not_have_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="`reads` names 'page'"):
        Offset(reads={"page": Reading()})
    with pytest.raises(ValueError, match="the word '7' is a number"):
        Reading(words={"7": 7})
