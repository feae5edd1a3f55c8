"""Lists in an object: what is read of a shard's, and what the merged one says."""

import json
from typing import Any

import pytest

from shardgate.core.contracts import Dialect
from shardgate.core.dialect.drf import Drf
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.hal import Hal
from shardgate.core.dialect.json_api import JsonApi
from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from tests.core.dialect.pages_of import written

ROWS = [{"id": "c"}, {"id": "d"}]
API = "http://a/rows"
ENVELOPE = Envelope(
    items="data", total="page.total", has_more="page.more", limit_echo="page.limit", offset_echo="page.at"
)
PAGES = Pages(limit_default=2, limit_max=9, count_echo="shown", has_more="more")
HAL = Hal(items="_embedded.rows", limit_default=2, limit_max=9)


def shard(body: dict[str, Any]) -> Reply:
    return Reply(200, [], json.dumps(body).encode())


@pytest.mark.parametrize(
    ("dialect", "body", "whole"),
    [
        (
            ENVELOPE,
            {"data": [1], "page": {"total": 1, "more": False, "limit": 4, "at": 0}, "took_ms": 3},
            {"data": ROWS, "page": {"total": 9, "more": True, "limit": 2, "at": 2}, "took_ms": 3},
        ),
        (
            PAGES,
            {"items": [1], "total": 1, "page": 1, "page_size": 4, "page_count": 1, "shown": 1, "more": False},
            {"items": ROWS, "total": 9, "page": 2, "page_size": 2, "page_count": 5, "shown": 2, "more": True},
        ),
        (
            Drf(limit_default=2, limit_max=9),
            {"count": 1, "next": None, "previous": None, "results": [1]},
            {"count": 9, "next": f"{API}?limit=2&page=3", "previous": f"{API}?limit=2", "results": ROWS},
        ),
        (
            HAL,
            {"_embedded": {"rows": [1]}, "_links": {"self": {"href": "x"}}, "page": {"totalElements": 1, "number": 0}},
            {
                "_embedded": {"rows": ROWS},
                "_links": {
                    "first": {"href": f"{API}?limit=2&page=0"},
                    "prev": {"href": f"{API}?limit=2&page=0"},
                    "self": {"href": f"{API}?limit=2&page=1"},
                    "next": {"href": f"{API}?limit=2&page=2"},
                    "last": {"href": f"{API}?limit=2&page=4"},
                },
                "page": {"totalElements": 9, "number": 1},
            },
        ),
    ],
    ids=["envelope", "pages", "drf", "hal"],
)
def test_the_numbers_and_links_are_those_of_the_whole_list(
    dialect: Dialect, body: dict[str, Any], whole: dict[str, Any]
) -> None:
    assert json.loads(written(dialect, shard(body)).body) == whole


def test_an_empty_hal_page_has_no_list() -> None:
    reply = shard({"_links": {"self": {"href": "x"}}, "page": {"totalElements": 0, "number": 0}})
    assert HAL.open(reply).rows == b"[]"
    assert "_embedded" not in json.loads(written(HAL, reply, rows=b"[]", shown=0, total=0).body)


def test_json_api_includes_what_the_rows_refer_to_each_once_and_in_order() -> None:
    author = {"type": "people", "id": "1"}
    rows = [{"type": "articles", "id": each, "relationships": {"author": {"data": author}}} for each in "cd"]
    body = {
        "data": [
            *rows,
            {"type": "articles", "id": "e", "relationships": {"author": {"data": {"type": "people", "id": "9"}}}},
        ],
        "included": [{**author, "name": "Ana"}, {"type": "people", "id": "9"}],
        "links": {"self": "x"},
    }
    dialect = JsonApi(limit_default=2, limit_max=9)
    merged = json.loads(written(dialect, shard(body), rows=json.dumps(rows).encode()).body)
    assert merged["included"] == [{**author, "name": "Ana"}]
    assert merged["links"]["next"] == f"{API}?limit=2&page%5Bnumber%5D=3"


def test_json_api_resources_that_nothing_refers_to_are_a_broken_reply() -> None:
    rows = [{"type": "articles", "id": "c"}]
    body = {"data": rows, "included": [{"type": "people", "id": "1"}]}
    with pytest.raises(BrokenReplyError) as caught:
        written(JsonApi(limit_default=2, limit_max=9), shard(body), rows=json.dumps(rows).encode())
    assert caught.value.where == "member data"
    assert caught.value.log == "1 included; no `relationships` lead to people 1"


@pytest.mark.parametrize(
    ("dialect", "body", "where", "log"),
    [
        (ENVELOPE, {"rows": []}, "member data", "the object has rows"),
        (PAGES, {"items": [], "total": "nine"}, "member total", 'found `"nine"`'),
        (ENVELOPE, {"data": [], "page": {"more": 1}}, "member page.more", "found `1`"),
    ],
)
def test_a_member_that_is_not_as_the_rule_says_is_named(
    dialect: Dialect, body: dict[str, Any], where: str, log: str
) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        dialect.open(shard(body))
    assert caught.value.where == where
    assert log in caught.value.log
