"""The base path of a shard is put before targets, and taken from references that lead below it."""

import pytest

from shardgate.core.wire.base_path import BasePath

BASE = BasePath(b"/a.b/c")


def here(authority: bytes) -> bool:
    return authority == b"shard:1"


def test_a_head_is_asked_below_the_base_path() -> None:
    assert BASE.joined(b"GET /x?/y HTTP/1.1\r\nHost: a\r\n\r\n") == b"GET /a.b/c/x?/y HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (b"/a.b/c", b"/"),
        (b"/a.b/c/", b"/"),
        (b"/a.b/c/x", b"/x"),
        (b"/a.b/c#x", b"/#x"),
        (b"/a.b/cx", b"/a.b/cx"),
        (b"/aXb/c/x", b"/aXb/c/x"),
        (b"/x/a.b/c/x", b"/x/a.b/c/x"),
        (b"?to=/a.b/c/x", b"?to=/a.b/c/x"),
        (b"http://shard:1/a.b/c/x", b"http://shard:1/x"),
        (b"http://shard:2/a.b/c/x", b"http://shard:2/a.b/c/x"),
        (b"//shard:1/a.b/c", b"//shard:1/"),
        (b"/a.b/c//x.com/y", b"/.//x.com/y"),  # found: `//x.com/y`, another host
        (b"</a.b/c//x>; rel=next", b"</.//x>; rel=next"),
        (b"http://shard:1/a.b/c//x", b"http://shard:1//x"),
        (b"../x", b"../x"),
        (b"?page=2", b"?page=2"),
        (b"0; URL='/a.b/c/x'", b"0; URL='/x'"),
        (b'<http://shard:1/a.b/c/x>; rel="/a.b/c"', b'<http://shard:1/x>; rel="/a.b/c"'),
    ],
)
def test_a_reference_below_the_base_path_is_the_clients(value: bytes, seen: bytes) -> None:
    assert BASE.without(value, here) == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (b"s=1; Path=/a.b/c", b"s=1; Path=/"),
        (b's=1;path="/a.b/c/x"; Secure', b's=1;path="/x"; Secure'),
        (b"s=1; Path=/a.b/cx", b"s=1; Path=/a.b/cx"),
        (b"s=/a.b/c; Path=/", b"s=/a.b/c; Path=/"),
    ],
)
def test_a_cookie_is_for_the_clients_path(value: bytes, seen: bytes) -> None:
    assert BASE.cookie(value) == seen
