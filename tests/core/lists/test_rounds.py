"""Which round comes next: the rows, the client's own request, a redirect's, and one that shows an empty list."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from shardgate.core.contracts import Ask
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.positions import alone
from shardgate.core.lists.rounds import ListRounds, PageRows
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

SHARDS = ("north", "south")
LIST = Listed(dialect=Offset(count_header="X-Count", past_end=404), keys={"id": "text"})


def rounds(query: str, rule: Listed = LIST) -> ListRounds:
    return ListRounds(ListQuery(rule, request(f"GET /rows?{query}")), SHARDS, None)


def listed(*ids: str, count: int) -> Reply:
    return Reply(200, [(b"X-Count", b"%d" % count)], json.dumps([{"id": each} for each in ids]).encode())


def targets(asks: Any) -> list[str]:
    assert isinstance(asks, Sequence)
    return [f"{ask.shard} {ask.target.decode()}" for ask in asks if isinstance(ask, Ask)]


def test_the_rows_that_hold_a_page_are_found_in_one_round() -> None:
    under_way = rounds("limit=2&offset=1")
    assert targets(under_way.asks()) == ["north /rows?limit=3", "south /rows?limit=3"]
    found = under_way.take({"north": listed("b", count=1), "south": listed("a", "c", count=2)})
    assert isinstance(found, PageRows)
    assert ([bytes(found.tables.raw[n]) for n in found.ranked], found.skip, found.total) == (
        [b'{"id": "a"}', b'{"id": "b"}', b'{"id": "c"}'],
        1,
        3,
    )
    assert (under_way.rows_asked, under_way.is_searched, [*under_way.ahead()]) == (6, False, [])


def test_a_page_behind_the_end_is_asked_for_as_it_came_and_must_be_refused() -> None:
    under_way = rounds("limit=2&offset=5")
    under_way.asks()
    own = under_way.take({"north": listed("b", count=1), "south": listed(count=0)})
    assert targets(own) == ["north /rows?limit=2&offset=5", "south /rows?limit=2&offset=5"]
    assert under_way.past_end
    with pytest.raises(BrokenReplyError):
        under_way.take({shard: listed(count=1) for shard in SHARDS})


def test_a_page_that_cannot_be_read_is_the_shards_to_refuse() -> None:
    under_way = rounds("limit=x")
    assert targets(under_way.asks()) == ["north /rows?limit=x", "south /rows?limit=x"]
    refused = under_way.take({shard: Reply(422, [], b"no") for shard in SHARDS})
    assert isinstance(refused, Reply)
    assert refused.status == 422
    with pytest.raises(UnreadablePageError):
        under_way.take({shard: listed(count=0) for shard in SHARDS})


def test_a_redirect_is_asked_for_with_the_clients_own_request() -> None:
    under_way = rounds("limit=2")
    moved = {shard: Reply(302, [(b"Location", b"/other?limit=2")], b"") for shard in SHARDS}
    under_way.asks()
    assert targets(under_way.take(moved)) == ["north /rows?limit=2", "south /rows?limit=2"]
    reply = under_way.take(moved)
    assert isinstance(reply, Reply)
    assert reply.status == 302


def test_one_shard_is_asked_how_an_empty_list_is_written() -> None:
    under_way = rounds("limit=2", Listed(dialect=Offset(), keys={"id": "text"}))
    under_way.asks()
    found = under_way.take({shard: Reply(200, [], b"[]") for shard in SHARDS})
    assert isinstance(found, PageRows)
    assert targets(under_way.ask_how_empty(found)) == ["north /rows?limit=2"]
    # Rows have come meanwhile, so that the page is read anew.
    assert len(targets(under_way.take({"north": Reply(200, [], b'[{"id": "a"}]')}))) == 2
    under_way.ask_how_empty(found)
    assert under_way.take({"north": Reply(200, [], b"[ ]")}) is found
    assert under_way.heard.knows_empty


def test_a_deep_page_is_searched_for_in_rounds_of_which_some_are_known_ahead() -> None:
    query = ListQuery(Listed(dialect=Offset(), keys={"id": "text"}), request("GET /rows?limit=10&offset=3000"))
    under_way = ListRounds(query, SHARDS, alone(9).at(0, SHARDS))
    assert [*under_way.ahead()] == []
    asked = targets(under_way.asks())
    assert under_way.is_searched
    ahead = targets(under_way.ahead())
    assert len(asked) > 0 < len(ahead)
    assert {*asked}.isdisjoint(ahead)
