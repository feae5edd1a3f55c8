"""The key that a JSON value names; the digits of a number are never counted by `int`."""

import pytest

from shardgate.core.errors import AmbiguousKeyError
from shardgate.core.json.key_value import key_text


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'"a"', "a"),
        (b'""', ""),
        (b'"\\u00e9"', "é"),
        (b"7", "7"),
        (b"-7", "-7"),
        (b"-0", "0"),
        (b"9" * 1024, "9" * 1024),
        (b"1.5", None),
        (b"true", None),
        (b"null", None),
        (b"{}", None),
    ],
)
def test_a_key(raw: bytes, key: str | None) -> None:
    assert key_text(raw, "v") == key


@pytest.mark.parametrize("raw", [b"9" * 5000, b'"' + b"a" * 1025 + b'"', b"7.0", b"7e2"])
def test_what_is_too_long_or_read_in_two_ways_is_refused(raw: bytes) -> None:
    # Found: a number of 5,000 digits was answered with 500 (SG9001).
    with pytest.raises(AmbiguousKeyError, match="`v`"):
        key_text(raw, "v")
