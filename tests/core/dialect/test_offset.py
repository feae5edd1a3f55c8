"""Limit and offset: a client's page read, a shard's page written, and read again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply
from tests.core.requests import request

PLAIN = Offset(names="exact", limit_default=20, fields="fields", count_header="X-Total-Count")
NAMED = Offset(limit="_limit", offset="_start", order="_sort", direction="_order")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page(0, 20, (), None)),
        ("limit=5", Page(0, 5, (), None)),
        ("limit=0", Page(0, 0, (), None)),
        ("limit=5&offset=10", Page(10, 5, (), None)),
        ("offset=10", Page(10, 20, (), None)),
        ("limit=005", Page(0, 5, (), None)),
        ("l%69mit=%35", Page(0, 5, (), None)),
        ("order=name", Page(0, 20, (("name", False),), None)),
        ("order=-name,id", Page(0, 20, (("name", True), ("id", False)), None)),
        ("fields=id,name", Page(0, 20, (), ("id", "name"))),
        ("limit[]=5&LIMIT=6&other=x", Page(0, 20, (), None)),
    ],
)
def test_a_page_is_read(query: str, page: Page) -> None:
    assert PLAIN.read_page(query) == page


@pytest.mark.parametrize(
    "query",
    [
        "limit=",
        "limit",
        "limit=-1",
        "limit=+5",
        "limit=%205",
        "limit=5%20",
        "limit=5_0",
        "limit=0x5",
        "limit=5.0",
        "limit=1e3",
        "limit=abc",
        "limit=%D9%A5",
        "limit=null",
        "offset=",
        "offset=-1",
        "offset=x",
        "fields=",
        "fields=a,",
        "fields=a,,b",
        "fields=name,+id",
    ],
)
def test_a_value_that_servers_read_differently_is_not_judged(query: str) -> None:
    assert PLAIN.read_page(query) is UNKNOWN


@pytest.mark.parametrize("query", ["limit=5&limit=5", "limit=5&l%69mit=6", "order=a&order=b", "fields=a&fields"])
def test_a_parameter_that_stands_twice_is_refused(query: str) -> None:
    with pytest.raises(UnreadablePageError):
        PLAIN.read_page(query)


def test_a_rule_may_say_which_of_two_counts() -> None:
    assert Offset(repeated="first").read_page("limit=1&limit=2") == Page(0, 1, (), None)
    assert Offset(repeated="last").read_page("limit=1&limit=2") == Page(0, 2, (), None)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("_sort=a", (("a", False),)),
        ("_sort=a&_order=desc", (("a", True),)),
        ("_sort=a,b&_order=desc,asc", (("a", True), ("b", False))),
        ("_sort=a,b&_order=DESC", (("a", True), ("b", False))),
        ("_sort=-a", (("-a", False),)),
    ],
)
def test_a_direction_of_its_own_is_read(query: str, order: Any) -> None:
    assert NAMED.read_page(query) == Page(0, None, order, None)


@pytest.mark.parametrize("query", ["_sort=a&_order=down", "_sort=a&_order=", "_sort=a&_order=asc,desc"])
def test_a_direction_that_is_none_is_not_judged(query: str) -> None:
    # Found: any other word was silently taken for `asc`.
    assert NAMED.read_page(query) is UNKNOWN


def test_an_offset_that_needs_a_limit_is_nothing_without_one() -> None:
    dialect = Offset(offset_needs_limit=True)
    assert dialect.read_page("offset=5") == Page(0, None, (), None)
    assert dialect.read_page("offset=5&limit=2") == Page(5, 2, (), None)


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("", "limit=7"),
        ("a=b&limit=2&c=d&offset=5", "a=b&c=d&limit=7"),
        ("l%69mit=2&o%66fset=5", "limit=7"),
        ("q=limit%3D5&order=-x", "q=limit%3D5&order=-x&limit=7"),
        ("q=what?&&x", "q=what?&x&limit=7"),
        ("fields=a,b", "limit=7&fields=id,a+b"),
    ],
)
def test_a_shards_query_is_the_clients_with_another_page(query: str, written: str) -> None:
    fields = ("id", "a b") if "fields" in query else None
    assert PLAIN.write_query(query, page=Page(0, 7, (), None), fields=fields) == written


NUMBERS = st.integers(0, 10**9)
WORDS = st.text("abc_.é&=, +%-", min_size=1, max_size=6).filter(
    lambda name: name == name.strip() and "," not in name and name[0] not in "+-"
)


@given(
    NUMBERS, st.none() | NUMBERS, st.none() | st.lists(WORDS, min_size=1, max_size=4), st.text("ab=&%2?+", max_size=12)
)
def test_what_is_written_reads_back(offset: int, limit: int | None, fields: list[str] | None, rest: str) -> None:
    dialect = Offset(fields="fields", repeated="last")
    page = Page(offset, limit, (), None if fields is None else tuple(fields))
    assert dialect.read_page(dialect.write_query(rest, page=page, fields=page.fields)) == page


@pytest.mark.parametrize("dialect", [Offset(states_order=True), Offset(states_order=True, direction="dir")])
def test_an_order_that_is_stated_reads_back(dialect: Offset) -> None:
    page = Page(0, 5, (("name", True), ("id", False)), None)
    written = dialect.write_query(
        "order=name&x=1&dir=asc" if dialect.direction else "order=name&x=1", page=page, fields=None
    )
    assert written.startswith("x=1&limit=5&order=")
    assert dialect.read_page(written) == page


def test_a_total_is_read_and_written() -> None:
    reply = Reply(200, [(b"X-TOTAL-Count", b"12"), (b"X", b"y")], b"[]")
    assert PLAIN.open(reply) == Listing(b"[]", 12)
    merged = Merged(request(), Page(0, 2, (), None), b"[{}]", 1, 30, more=False, reply=reply)
    assert PLAIN.close(merged) == Reply(200, [(b"X-TOTAL-Count", b"30"), (b"X", b"y")], b"[{}]")
    assert PLAIN.open(Reply(200, [])).total is None
    assert Offset().open(reply).total is None


@pytest.mark.parametrize("dialect", [PLAIN, Offset(), Whole()])
def test_the_sizes_of_bare_lists_are_those_that_each_reply_states_when_it_is_opened(dialect: Offset | Whole) -> None:
    replies = [Reply(200, [(b"X-TOTAL-Count", b"12")], b"[]"), Reply(200, []), Reply(200, [(b"x-total-count", b"0")])]
    opened = [dialect.open(reply) for reply in replies]
    assert opened == [Listing(reply.body, size) for reply, size in zip(replies, dialect.sizes(replies), strict=True)]


@pytest.mark.parametrize("value", [b"", b"x", b"-1", b"1,234", b"1.0", b"\xb2", b"9" * 5000])
def test_a_total_that_is_no_number_is_a_broken_reply(value: bytes) -> None:
    # Found: it was ignored, so that one shard's total stood for all; 5,000 digits were an internal error.
    with pytest.raises(BrokenReplyError):
        PLAIN.open(Reply(200, [(b"X-Total-Count", value)]))
    with pytest.raises(BrokenReplyError):
        PLAIN.sizes([Reply(200, []), Reply(200, [(b"X-Total-Count", value)])])
