"""Rows that several shards have, shown and counted once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

KEYS = {"id": "text", "name": "text", "version": "number"}
Row = dict[str, Any]


def rule(**dedupe: Any) -> Listed:
    return Listed(
        dialect=Offset(limit_default=10, fields="fields", count_header="X-Total"), keys=KEYS, dedupe=Dedupe(**dedupe)
    )


def page(listed: Listed, query: str, *shards: list[Row]) -> tuple[list[Row], bytes | None, list[str]]:
    """The merged rows, their count, and the targets that were asked for."""
    merging = listed.begin(request(f"GET /rows{query}"), [f"s{n}" for n in range(len(shards))])
    asks = merging.asks()
    replies = {
        ask.shard: Reply(200, [(b"X-Total", b"%d" % len(rows))], json.dumps(rows).encode())
        for ask, rows in zip(asks, shards, strict=True)
    }
    reply = merging.take(replies)
    if not isinstance(reply, Reply):  # a page behind the last row: how does a shard write an empty list?
        [behind] = reply
        reply = merging.take({behind.shard: Reply(200, [(b"X-Total", b"2")], b"[]")})
    assert isinstance(reply, Reply)
    return json.loads(reply.body), reply.field(b"x-total"), [ask.target.decode() for ask in asks]


def row(id_: str, version: int | None = 1, name: str = "n") -> Row:
    return {"id": id_, "name": name, "version": version}


def test_a_row_of_two_shards_is_shown_and_counted_once_on_whatever_page() -> None:
    one, two = [row("a"), row("c"), row("d")], [row("b"), row("c"), row("e")]
    first, total, asked = page(rule(by="id"), "?limit=3", one, two)
    assert ([each["id"] for each in first], total) == (["a", "b", "c"], b"5")
    assert asked == ["/rows?limit=2147483647"] * 2
    assert [each["id"] for each in page(rule(by="id"), "?limit=3&offset=3", one, two)[0]] == ["d", "e"]


@pytest.mark.parametrize(
    ("dedupe", "name"),
    [
        ({"winner": "first"}, "old"),
        ({"winner": "last"}, "odd"),
        ({"winner": "highest", "of": "version"}, "new"),
        ({"winner": "lowest", "of": "version"}, "old"),
    ],
)
def test_the_rule_says_which_copy_is_shown(dedupe: dict[str, str], name: str) -> None:
    copies = [[row("a", 1, "old")], [row("a", 7, "new")], [row("a", 3, "odd")]]
    assert [each["name"] for each in page(rule(by="id", **dedupe), "", *copies)[0]] == [name]


def test_the_winner_stands_where_its_own_values_put_it() -> None:
    stale = [row("a", 1, "aa"), row("b", 1, "bb")]
    fresh = [row("a", 2, "zz")]
    rows, _, asked = page(rule(by="id", winner="highest", of="version"), "?order=name&fields=name", stale, fresh)
    assert [each["name"] for each in rows] == ["bb", "zz"]
    assert rows == [{"name": "bb"}, {"name": "zz"}]
    assert asked[0].endswith("&fields=name,id,version")


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=4), st.integers(0, 9))
def test_the_pages_are_those_of_the_distinct_rows(shards: list[list[str]], offset: int) -> None:
    tables = [[row(id_) for id_ in sorted(shard)] for shard in shards]
    distinct = sorted({id_ for shard in shards for id_ in shard})
    rows, total, _ = page(rule(by="id"), f"?limit=2&offset={offset}", *tables)
    assert [each["id"] for each in rows] == distinct[offset : offset + 2]
    assert total == b"%d" % len(distinct)


def test_a_row_that_lacks_what_decides_is_broken() -> None:
    with pytest.raises(BrokenReplyError):
        page(rule(by="id", winner="highest", of="version"), "", [{"id": "a", "name": "x"}])


@pytest.mark.parametrize("wrong", [{"by": "id", "winner": "highest"}, {"by": "id", "of": "version"}, {"by": "code"}])
def test_a_rule_that_cannot_decide_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"`of`|among the keys"):
        rule(**wrong)
