"""A page that only the size of the list tells: what is asked first, and what then."""

import json
from typing import Any

import pytest

from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.paging.reading import Reading
from tests.core.requests import request

SHARDS = ("north", "south")
RULE = Listed(
    dialect=Pages(
        limit_default=2, limit_max=4, past_end="last", reads={"page": Reading(below="last", words={"last": "last"})}
    ),
    keys={"id": "text"},
)


def page(*ids: str, total: int | None) -> Reply:
    body: dict[str, Any] = {"items": [{"id": each} for each in ids], "page": 1, "page_size": 2, "page_count": 1}
    return Reply(200, [], json.dumps(body if total is None else {**body, "total": total}).encode())


@pytest.mark.parametrize("asked", ["last", "0", "3"])
def test_the_size_is_read_first_and_then_the_last_page(asked: str) -> None:
    merging = RULE.begin(request(f"GET /rows?page={asked}&q=1"), SHARDS)
    merging.asks()
    then = merging.take({"north": page("a", "c", total=2), "south": page("b", total=1)})
    # Three rows in pages of two: the second page is the last, whichever was asked for.
    while not isinstance(then, Reply):
        assert all(ask.target.startswith(b"/rows?q=1&page_size=") for ask in then)
        then = merging.take({"north": page("a", "c", total=2), "south": page("b", total=1)})
    assert (json.loads(then.body)["items"], json.loads(then.body)["page"]) == ([{"id": "c"}], 2)
    assert "which page" not in merging.explain()[-1]
    assert "the size of the list" in merging.explain()[-1]


def test_a_list_of_one_page_is_read_once() -> None:
    merging = RULE.begin(request("GET /rows?page=last"), SHARDS)
    merging.asks()
    reply = merging.take({"north": page("a", total=1), "south": page("b", total=1)})
    assert isinstance(reply, Reply)
    assert merging.learned() == [("a", "north"), ("b", "south")]


def test_a_size_that_is_not_stated_and_a_refusal() -> None:
    merging = RULE.begin(request("GET /rows?page=last"), SHARDS)
    merging.asks()
    refusal = Reply(403, [], b"no")
    assert merging.take(dict.fromkeys(SHARDS, refusal)) is refusal
    rule = Listed(dialect=Pages(limit_default=2, limit_max=4, reads=RULE.dialect.reads), keys={"id": "text"})  # type: ignore[union-attr]
    merging = rule.begin(request("GET /rows?page=last"), SHARDS)
    merging.asks()
    with pytest.raises(UnreadablePageError, match="does not state the list's size"):
        merging.take(dict.fromkeys(SHARDS, page("a", total=None)))
