"""A member is found in one reading, which makes no values and stops at bounds."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.json.search import JsonSearch, check_utf_8

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_what_is_found_is_what_a_decoder_finds(value: object, indent: int | None, plain: bool) -> None:
    text = json.dumps({"x": value, "key": value, "y": [value]}, indent=indent, ensure_ascii=plain)
    found = JsonSearch(text.encode()).find(["key"])
    assert found is not None
    assert json.loads(found) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with contextlib.suppress(AmbiguousKeyError, TooComplexError, ValueError, msgspec.DecodeError):
        assert JsonSearch(b'{"key":' + text + b"}").find(["key"]) is not None


def test_items_are_counted_up_to_a_bound() -> None:
    assert JsonSearch(b"[1, [2,3] ,{}]").has_more_items(2)
    assert not JsonSearch(b"[1, [2,3] ,{}]").has_more_items(3)
    assert not JsonSearch(b"{}").has_more_items(1)
    assert not JsonSearch(b"[1,2").has_more_items(2)


def test_utf_8_is_checked_across_slices() -> None:
    text = ("a" + "é" * 100_000).encode()
    check_utf_8(text)
    for broken in (text[:-1], text + b"\xff", b"\xff" + text):
        with pytest.raises(UnicodeDecodeError):
            check_utf_8(broken)
