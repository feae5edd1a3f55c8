"""Which replies are one client's."""

import pytest

from shardgate.core.replies.privacy import is_of_one_client


@pytest.mark.parametrize(
    ("name", "value", "is_one"),
    [
        (b"Set-Cookie", b"a=1", True),
        (b"Cache-Control", b"PRIVATE", True),
        (b"cache-control", b'max-age=1, private="x"', True),
        (b"Cache-Control", b"no-store", True),
        (b"Cache-Control", b"public, no-cache", False),
        (b"Vary", b"*", False),
    ],
)
def test_what_says_so(name: bytes, value: bytes, is_one: bool) -> None:
    assert is_of_one_client([(b"X", b"private"), (name, value)]) == is_one
