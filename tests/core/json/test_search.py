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


@pytest.mark.parametrize("path", ["key", "a.key"])
@pytest.mark.parametrize(
    "key",
    [
        *(b"9" * 1025, b"-1" + b"0" * 1024, b"1." + b"0" * 9999),
        *(b'"' + each + b'"' for each in (b"x" * 6147, b"\\u0041" * 1030, b'\\"' + b"x" * 6147, b'\\"' * 3100)),
    ],
)
def test_a_key_that_is_too_long_is_refused_where_it_begins(path: str, key: bytes) -> None:
    text = b'{"b":1,"key": ' + key + b","  # what follows is no JSON, and is not read
    text = b'{"x":[],"a":' + text if "." in path else text
    with pytest.raises(AmbiguousKeyError, match=f"the key `{path}` has more than 1024") as refused:
        JsonSearch(text).find_key(path.split("."))
    assert refused.value.was_read
    with pytest.raises(ValueError, match=r"no name|truncated"):
        JsonSearch(text).find(path.split("."))


@pytest.mark.parametrize("key", [b"9" * 1024, b'"' + b"x" * 6144 + b'"', b'"x"', b"[" + b"9," * 2000 + b"9]"])
def test_a_value_that_is_no_longer_than_a_key_may_be_is_found(key: bytes) -> None:
    for behind in (b"}", b',"x":"' + b"y" * 9999 + b'"}'):
        assert JsonSearch(b'{"key":' + key + behind).find_key(["key"]) == key


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
