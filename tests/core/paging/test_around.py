"""What stands around the rows: whatever nothing is said of is the same on every shard, and describes no page."""

import json
from typing import Any

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.json.totals import Totals
from shardgate.core.paging.around import Around


def documents(*bodies: Any) -> list[JsonObject]:
    return [JsonObject(json.dumps(body).encode()) for body in bodies]


def problem(around: Around, *bodies: Any) -> str:
    with pytest.raises(BrokenReplyError) as caught:
        around.check(documents(*bodies), "/rows")
    return str(caught.value.where).removeprefix("member ")


LISTED = Around(("items", "meta.total", None), Totals())


def test_members_that_are_named_or_the_same_everywhere_are_right() -> None:
    LISTED.check(documents({"items": [1], "meta": {"total": 1}}, {"items": [], "meta": {"total": 0}}), "/rows")
    LISTED.check(
        documents({"items": [1], "v": [1], "meta": {"w": "x"}}, {"items": [], "v": [1], "meta": {"w": "x"}}), ""
    )


def test_a_member_that_differs_or_that_one_shard_lacks_is_named() -> None:
    assert problem(LISTED, {"items": [], "v": 1}, {"items": [], "v": 2}) == "v"
    assert problem(LISTED, {"items": []}, {"items": [], "v": 2}) == "v"
    assert problem(LISTED, {"items": [], "meta": {"a": {"b": 1}}}, {"items": [], "meta": {"a": {"b": 2}}}) == "meta.a"
    LISTED.check(documents({"items": [], "meta": {"total": 3}}, {"items": []}), "/rows")  # it states no size


@pytest.mark.parametrize(
    "member",
    [
        *(
            {"limit": 8},
            {"page_size": 8},
            {"hasMore": False},
            {"current-page": 1},
            {"@odata.nextLink": "x"},
            {"next": None},
        ),
        *({"hydra:totalItems": 4}, {"nextCursor": "abc"}, {"self": "http://a/rows?limit=8"}, {"self": "\\/rows?a"}),
        *({"isTruncated": False}, {"more_records": True}, {"exceededTransferLimit": False}, {"done": True}),
        *({"numFound": 4}, {"nbHits": 4}, {"hitsPerPage": 20}, {"recordsFiltered": 4}, {"resultCount": 4}),
        *({"totalSize": 4}, {"total_entries": 4}, {"startAt": 0}),
        {"links": [{"url": None, "label": "<"}, {"url": "http:\\/\\/a\\/rows?page=1", "label": "1"}]},
        *({"page": {"number_of": 1, "size": 8}}, {"a": {"b": {"last": True}}}),
    ],
)
def test_a_member_that_describes_the_page_is_named(member: dict[str, Any]) -> None:
    assert problem(LISTED, {"items": [], **member}).startswith(next(iter(member)))


@pytest.mark.parametrize(
    "member",
    [
        {"from": "2026-01-01"},
        {"size": "XL"},
        {"first": {"a": 1}},
        {"self": "/other"},
        {"limits": 8},
        {"next": [1]},
    ],
)
def test_a_member_of_such_a_name_that_is_something_else_is_right(member: dict[str, Any]) -> None:
    LISTED.check(documents({"items": [], **member}), "/rows")


def test_what_the_rule_merges_is_merged() -> None:
    around = Around(("items",), Totals(sum=("t.sum",), max=("t.max",), first_of=("meta", "limit")))
    bodies = documents(
        {"items": [], "t": {"sum": 1, "max": "a"}, "meta": {"limit": 3}, "limit": 9},
        {"items": [], "t": {"sum": 2.5, "max": "b"}, "meta": {"limit": 4}, "limit": 9},
    )
    merged = around.applied(Reply(200, [], bodies[0].body), bodies, "/rows")
    assert json.loads(merged.body) == {"items": [], "t": {"sum": 3.5, "max": "b"}, "meta": {"limit": 3}, "limit": 9}
    with pytest.raises(BrokenReplyError, match="what `around` says"):
        around.applied(Reply(200, [], b""), documents({"items": [], "t": {"sum": "x", "max": 1}}), "/rows")
