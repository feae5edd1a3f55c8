"""Which requests may get one reply."""

import pytest

from shardgate.core.http import Request
from shardgate.core.replies.cache.keys import has_credentials, is_selected, key_of, selecting
from tests.core.replies.cache.heads import head
from tests.core.requests import request


def key(line: str = "GET /a", *lines: str) -> object:
    return key_of(request(line, *lines))


@pytest.mark.parametrize(
    "line",
    [
        "Accept: text/html",
        "Accept-Encoding: gzip",
        "User-Agent: x",
        "Sec-Fetch-Mode: cors",
        "Cache-Control: no-cache",
        'If-None-Match: "a"',
        "Authorization: Bearer x",
        "Cookie: a=1",
        "X-Api-Key: 1",
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1;proto=https",
        "X-Request-Id: 1",
    ],
)
def test_fields_that_do_not_matter(line: str) -> None:
    assert key("GET /a", line) == key()


@pytest.mark.parametrize(
    "line",
    [
        "X-Host: evil.example",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Prefix: /evil",
        "Forwarded: for=192.0.2.1;host=evil.example",
        "Forwarded: for=a, Host = evil.example",
        "Forwarded: host=evil.example",
        "Origin: x",
        "Prefer: x",
        "X-Vendor: 1",
    ],
)
def test_fields_that_do(line: str) -> None:
    assert key("GET /a", line) != key()


def test_targets_are_compared_by_their_bytes_and_hosts_without_case() -> None:
    assert key("GET /a?x=1") != key("GET /a?x=%31")
    assert key("GET /a?x=1&y=2") != key("GET /a?y=2&x=1")
    other = request("GET /a")
    other.scheme = "https"
    assert key_of(other) != key()


@pytest.mark.parametrize("line", ["Authorization: x", "Cookie: a=1", "X-Auth-Token: x", "Api-Key: x"])
def test_credentials(line: str) -> None:
    assert has_credentials(request("GET /a", line))


def test_a_verified_token_is_a_credential_wherever_it_stood() -> None:
    asked = request("GET /a")
    assert not has_credentials(asked)
    asked.claims = {"sub": "me"}
    assert has_credentials(asked)


def _asked(language: str | None) -> Request:
    return request("GET /a") if language is None else request("GET /a", f"Accept-Language: {language}")


def test_what_a_reply_depends_on() -> None:
    wanted = selecting(head("Vary: Accept-Language"), _asked("pt"))
    assert is_selected(wanted, _asked("pt"))
    assert not is_selected(wanted, _asked("en"))
    assert not is_selected(wanted, _asked(None))
    assert is_selected(selecting(head("Vary: Accept-Language"), _asked(None)), _asked(None))
