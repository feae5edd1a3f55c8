"""A request for a list, as its rule reads it, and what follows for the requests to shards."""

import pytest

from shardgate.core.contracts import NO_PAGE
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block
from tests.core.requests import request

RULE = ListRule(
    dialect=Offset(fields="fields", count_header="X-Count", past_end=404), keys={"id": "text", "price": "number"}
)
BLOCKS = [Block("north", 0, 5), Block("south", 0, 5)]


def asked(query: str) -> ListQuery:
    return ListQuery(RULE, request(f"GET /events?{query}"))


def test_each_shard_is_asked_for_its_block() -> None:
    asks = asked("limit=5&q=a").asks([*BLOCKS, Block("east", 7, 5)], narrowing=False)
    assert [(ask.shard, ask.target) for ask in asks] == [
        ("north", b"/events?q=a&limit=5"),
        ("south", b"/events?q=a&limit=5"),
        ("east", b"/events?q=a&limit=5&offset=7"),
    ]
    assert asks[0].target is asks[1].target


def test_a_sort_key_that_the_client_did_not_ask_for_is_added() -> None:
    one = asked("fields=name&order=price")
    assert one.added == ("price", "id")
    assert one.asks(BLOCKS[:1], narrowing=False)[0].target == b"/events?order=price&limit=5&fields=name,price,id"


def test_while_a_deep_page_is_searched_for_only_sort_keys_are_asked_for() -> None:
    assert asked("order=price").asks(BLOCKS[:1], narrowing=True)[0].target.endswith(b"&fields=price,id")


@pytest.mark.parametrize(
    ("query", "problem"),
    [("limit=x", "`limit=x`: a whole number is accepted"), ("order=name", "`name` is no sort key of this list")],
)
def test_a_page_that_cannot_be_read_says_why(query: str, problem: str) -> None:
    one = asked(query)
    assert (one.order, one.page) == (None, NO_PAGE)
    error = one.unreadable()
    assert isinstance(error, UnreadablePageError)
    assert problem in error.detail


def test_a_page_behind_the_end() -> None:
    assert asked("offset=5").is_past(5)
    assert not asked("offset=5").is_past(6)
    assert not asked("offset=5").is_past(None)
    assert not asked("").is_past(0)


def test_the_merged_reply_is_the_dialects() -> None:
    reply = asked("limit=1").merged(b'[{"id":"a"}]', 1, 7, more=True, reply=Reply(200, [(b"Age", b"1")]))
    assert (reply.body, reply.fields) == (b'[{"id":"a"}]', [(b"Age", b"1"), (b"X-Count", b"7")])


def test_how_it_is_explained() -> None:
    assert asked("limit=5&offset=2&order=-price").explained() == [
        "sorted by price down, id up",
        "rows 2 to 7 of the merged list are the page",
    ]
