"""What replies say besides rows: who has none, around whose reply the page is written, and how large the list is."""

import json
from typing import Any

import pytest

from shardgate.core.contracts import Page
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.hal import Hal
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.lists.list_replies import ListReplies
from shardgate.core.lists.page_search import PageSearch
from shardgate.core.merge.listed import Listed

SHARDS = ("north", "south", "west")
LIST = Listed(dialect=Envelope(), keys={"id": "text"}, not_here=(404,))
ABSENT = Listed(dialect=Envelope(), keys={"id": "text"}, no_rows="absent")
HAL = Listed(dialect=Hal(items="_embedded.rows", limit_default=9, limit_max=9), keys={"id": "text"})


def said(body: Any, status: int = 200) -> Reply:
    return Reply(status, [], json.dumps(body).encode())


def rows(*ids: str, **more: Any) -> Reply:
    return said({"items": [{"id": each} for each in ids], **more})


def heard(rule: Listed, *replies: Reply) -> tuple[ListReplies, PageSearch]:
    found = ListReplies(rule, SHARDS)
    search = PageSearch(rule.dialect, Page(0, 9, (), None), SHARDS)
    found.read(search, SHARDS, dict(zip(SHARDS, replies, strict=True)), sized=True)
    return found, search


def test_a_shard_that_has_nothing_counts_as_none_and_its_reply_is_kept() -> None:
    found, search = heard(LIST, rows("a", total=1), said({}, 404), rows("b", "c", total=2))
    assert [*found.replies] == ["north", "west"]
    assert (found.nothing.status, found.total(search.totals)) == (404, 3)


def test_a_shard_without_rows_that_states_no_size_has_none() -> None:
    found, search = heard(LIST, rows("a", total=1), rows(total=None), rows("b", total=1))
    assert found.total(search.totals) == 2


def test_a_page_is_written_around_a_list_that_the_application_wrote() -> None:
    found, _ = heard(ABSENT, said({"total": 0}), rows("a", total=1), rows(total=0))
    assert [*found.with_lists()] == ["south", "west", "north"]
    assert found.as_list is True
    alone, _ = heard(ABSENT, said({"total": 0}), said({"total": 0}), said({"total": 0}))
    assert alone.as_list is False


def test_a_page_with_rows_is_written_around_a_reply_that_has_some() -> None:
    empty = said({"page": {"totalElements": 0}})
    full = said({"page": {"totalElements": 1}, "_embedded": {"rows": [{"id": "a"}]}})
    found, _ = heard(HAL, empty, full, full)
    assert found.shown_by(SHARDS, has_rows=True) == "south"
    assert found.shown_by(SHARDS, has_rows=False) == "north"
    assert len(found.documents) == 3


def test_a_reply_that_is_no_list_names_its_shard() -> None:
    with pytest.raises(BrokenReplyError) as caught:
        heard(LIST, rows("a"), said([]), rows("b"))
    assert caught.value.shard == "south"
