"""Lists asked for by POST, with the page in the body."""

import pytest

from shardgate.core.contracts import UNKNOWN, Page
from shardgate.core.dialect.search import Search
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Request
from tests.core.requests import request

DIALECT = Search(limit="page.count", offset="page.start", order="sort")


def post(body: str) -> Request:
    return request("POST /search", f"Content-Length: {len(body)}", body=body)


def test_a_page_is_read_from_the_body_and_written_into_it() -> None:
    asked = post('{"query": {"a": 1.0}, "page": {"start": 4, "count": 2}, "sort": "-name"}')
    assert DIALECT.read(asked) == Page(4, 2, (("name", True),), None)
    _, body = DIALECT.ask(asked, Page(0, 6, (), None), None)
    assert body == b'{"query": {"a": 1.0}, "page": {"start": 0, "count": 6}, "sort": "-name"}'


def test_a_body_without_a_page_gets_one() -> None:
    _, body = DIALECT.ask(post('{"query": 1}'), Page(2, 6, (), None), None)
    assert body == b'{"query": 1, "page": {"count":6,"start":2}}'


def test_rows_may_be_counted_from_one() -> None:
    dialect = Search(limit="count", offset="start", offset_first=1)
    assert dialect.read(post('{"start": 1, "count": 2}')) == Page(0, 2, (), None)
    assert dialect.read(post('{"start": 0, "count": 2}')) is UNKNOWN


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"page": {"count": "two"}}', "`page.count=two`: a whole number is accepted"),
        ('{"page": {"count": 2, "count": 3}}', "the body: a JSON object in UTF-8 is accepted"),
        ("[]", "the body: a JSON object in UTF-8 is accepted"),
    ],
)
def test_a_body_that_cannot_be_read_is_unknown_and_named(body: str, problem: str) -> None:
    assert DIALECT.read(post(body)) is UNKNOWN
    assert DIALECT.problem(post(body)) == problem


def test_a_member_in_another_spelling_is_refused() -> None:
    with pytest.raises(UnreadablePageError, match=r"`page.count` also stands in another spelling"):
        DIALECT.read(post('{"page": {"count": 2, "Count": 3}}'))


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ('{"page": {"count": 2, "limit": 5}}', "page.limit"),
        ('{"page": {"start": 2, "Per-Page": "5"}}', "page.Per-Page"),
        ('{"page": {"count": 2}, "pagination": {"limit": 5}}', "pagination.limit"),
        ('{"page": {"cursor": "abc"}}', "page.cursor"),
        ('{"page": 2}', "page"),
    ],
)
def test_l10_a_member_that_pages_beside_a_named_one_is_refused(body: str, member: str) -> None:
    # Found: only members at the top were looked at; `pagination.limit` beside the named `pagination.count` reached
    # every shard.
    with pytest.raises(UnreadablePageError) as caught:
        DIALECT.read(post(body))
    assert f"`{member}` is not accepted" in caught.value.detail
    passes = Search(limit="page.count", offset="page.start", order="sort", passes=(member,))
    assert isinstance(passes.read(post(body)), Page)


def test_members_that_filter_are_no_page() -> None:
    body = '{"query": {"limit": 5, "size": 3}, "page": {"count": 2, "year": 2026, "of": "start"}}'
    assert DIALECT.read(post(body)) == Page(0, 2, (), None)
