"""Which replies are kept (RFC 9111 section 3), and which requests have nothing to do with a cache."""

import pytest

from shardgate.core.replies.cache.storing import request_directives, why_bypassed, why_not_kept
from tests.core.replies.cache.heads import head
from tests.core.requests import request

PUBLIC = "Cache-Control: public, max-age=60"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((PUBLIC,), None),
        (("Cache-Control: max-age=60",), None),
        (("Cache-Control: s-maxage=60",), None),
        (("Expires: Thu, 01 Jan 2099 00:00:00 GMT",), None),
        (("Cache-Control: public", 'ETag: "a"'), None),
        (("Cache-Control: no-cache, max-age=60", 'ETag: "a"'), None),
        (("Cache-Control: max-age=0, stale-if-error=60",), None),
        ((), "not-public"),
        (('ETag: "a"',), "not-public"),
        (("Cache-Control: no-store, public, max-age=60",), "no-store"),
        (("Cache-Control: public, private",), "private"),
        ((PUBLIC, "Set-Cookie: a=1"), "set-cookie"),
        ((PUBLIC, "Vary: Accept, *"), "vary"),
        (("Cache-Control: public, max-age=0",), "stale"),
    ],
)
def test_replies(lines: tuple[str, ...], why: str | None) -> None:
    assert why_not_kept(request("GET /a"), head(*lines), (), 0.0) == why


@pytest.mark.parametrize(
    ("status", "is_kept"),
    [
        (200, True),
        (204, True),
        (301, True),
        (404, True),
        (410, True),
        (206, False),
        (302, False),
        (304, False),
        (500, False),
    ],
)
def test_statuses(status: int, is_kept: bool) -> None:
    assert (why_not_kept(request("GET /a"), head(PUBLIC, status=status), (), 0.0) is None) == is_kept


def test_a_status_that_says_that_the_shard_has_not_the_key_is_not_kept() -> None:
    assert why_not_kept(request("GET /a"), head(PUBLIC, status=404), (404,), 0.0) == "status"


@pytest.mark.parametrize("line", ["Authorization: x", "Cookie: a=1", "X-Api-Key: 1"])
def test_credentials_need_a_reply_that_is_public(line: str) -> None:
    asked = request("GET /a", line)
    assert why_not_kept(asked, head("Cache-Control: max-age=60"), (), 0.0) == "credentials"
    assert why_not_kept(asked, head("Cache-Control: must-revalidate, max-age=60"), (), 0.0) == "credentials"
    assert why_not_kept(asked, head(PUBLIC), (), 0.0) is None
    assert why_not_kept(asked, head("Cache-Control: s-maxage=60"), (), 0.0) is None


def test_requests_whose_reply_is_not_kept() -> None:
    assert why_not_kept(request("HEAD /a"), head(PUBLIC), (), 0.0) == "method"
    assert why_not_kept(request("GET /a", "Cache-Control: no-store"), head(PUBLIC), (), 0.0) == "no-store"


@pytest.mark.parametrize(
    ("line", "field", "why"),
    [
        ("GET /a", "X: 1", None),
        ("HEAD /a", "X: 1", None),
        ("POST /a", "X: 1", "method"),
        ("GET /a", "Range: bytes=0-1", "range"),
        ("GET /a", 'If-Range: "a"', "if-range"),
        ("GET /a", 'If-Match: "a"', "if-match"),
        ("GET /a", "If-Unmodified-Since: x", "if-unmodified-since"),
        ("GET /a", "Content-Length: 2", "body"),
    ],
)
def test_requests_that_pass_by(line: str, field: str, why: str | None) -> None:
    assert why_bypassed(request(line, field)) == why


def test_pragma_counts_alone() -> None:
    assert request_directives(request("GET /a", "Pragma: no-cache")).has(b"no-cache")
    assert not request_directives(request("GET /a", "Pragma: no-cache", "Cache-Control: max-age=1")).has(b"no-cache")
