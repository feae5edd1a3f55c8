"""Rows keep their bytes: cut, joined and trimmed without being decoded; what is not JSON is a broken reply."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import cut, join, without

STYLES: list[dict[str, Any]] = [
    {"separators": (",", ":")},
    {},
    {"indent": 2},
    {"indent": "\t"},
    {"indent": 0},
    {"separators": (" , ", " : ")},
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=4)

DELICATE = [
    b'{"n":1e400}',
    b'{"n":1.0}',
    b'{"n":-0}',
    b'{"n":-0.0,"m":1E+2}',
    b'{"n":123456789012345678901234567890.123456789012345678901234567890}',
    b'{"b":2,"a":1}',
    rb'{"s":"\u00e9\/\"\\\n"}',
    '{"s":"é€😀"}'.encode(),
    rb'{"s":"\ud83d\ude00"}',
    b'{"s":"\x7f"}',
    b'{"s":"[{,}]\\""}',
    b'{"a" : 1}',
    b'{ "a":\t[ 1 ,2 ] }',
    b"{}",
    b"{ }",
    b'{"a":1,"a":2}',
    b'{"":{"":[]}}',
]


@pytest.mark.parametrize("row", DELICATE)
@pytest.mark.parametrize(
    ("opening", "separator", "closing"),
    [("[", ",", "]"), ("[", ", ", "]"), ("[\n  ", ",\n  ", "\n]\n"), (" [ ", " , ", " ] ")],
)
def test_a_list_that_is_cut_and_joined_is_the_same_bytes(
    row: bytes, opening: str, separator: str, closing: str
) -> None:
    # Found: white space around the array was lost, which Go's encoder writes behind every document.
    body = opening.encode() + separator.encode().join([row, b'{"x":0}', row]) + closing.encode()
    rows = cut(body)
    assert [bytes(raw) for raw in rows.raw] == [row, b'{"x":0}', row]
    assert join(rows.raw, [rows]) == body


@given(ROWS, st.sampled_from(STYLES), st.booleans())
def test_whatever_an_application_writes_comes_back_byte_for_byte(rows: Any, style: Any, ascii_only: bool) -> None:
    body = json.dumps(rows, ensure_ascii=ascii_only, **style).encode(errors="replace")
    table = cut(body)
    assert join(table.raw, [table]) == body


@pytest.mark.parametrize("style", STYLES)
def test_rows_of_several_shards_are_joined_in_the_applications_own_style(style: Any) -> None:
    one, two, three = ([{"id": n, "a": [1]} for n in range(k)] for k in (1, 2, 3))
    tables = [cut(json.dumps(rows, **style).encode()) for rows in (one, [], two)]
    joined = join([raw for table in tables for raw in table.raw], tables)
    assert joined == json.dumps([*one, *two], **style).encode()
    lonely = [cut(json.dumps(one, **style).encode())] * 2
    if style.get("separators") != (" , ", " : "):
        assert (
            join([raw for table in lonely for raw in table.raw], lonely) == json.dumps([*one, *one], **style).encode()
        )
    tables = [cut(json.dumps(three, **style).encode())]
    assert join(tables[0].raw[:1], tables) == json.dumps(three[:1], **style).encode()


@pytest.mark.parametrize(
    ("bodies", "empty"),
    [
        ([b"[]"], b"[]"),
        ([b"[ ]\n", b"[ ]\n"], b"[ ]\n"),
        ([b'[{"a":1}]\n'], b"[]\n"),
        ([b'[{"a":1}]', b"[]"], b"[]"),
    ],
)
def test_an_empty_page_is_an_empty_array(bodies: list[bytes], empty: bytes) -> None:
    assert join([], [cut(body) for body in bodies]) == empty


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nul",
        b"[null",
        b"{}",
        b'"[]"',
        b"[",
        b"]",
        b"[1",
        b"[1]]",
        b"[1]x",
        b"[1] [2]",
        b"[1 2]",
        b"[1,]",
        b"[,1]",
        b"[01]",
        b"[-01]",
        b"[1.]",
        b"[.5]",
        b"[-]",
        b"[+1]",
        b"[--1]",
        b"[1e]",
        b"[1e+]",
        b"[2.e3]",
        b"[0x1]",
        b"[1_0]",
        b"[NaN]",
        b"[Infinity]",
        b"[tru]",
        b"[truex]",
        b"[True]",
        b"['a']",
        b'["a]',
        b'["a\nb"]',
        b'["a\x00b"]',
        b'["\x1f"]',
        b'["a\tb"]',
        rb'["\x"]',
        rb'["\u12"]',
        rb'["\u12g4"]',
        b"[{]}",
        b"[{a:1}]",
        b"[{1:1}]",
        b'[{"a" 1}]',
        b'[{"a":1,}]',
        b'[{"a":1 "b":2}]',
        b'[{"a"}]',
        b"[\xff]",
        b'["\xff"]',
        b'["\xc0\xaf"]',
        b'["\xed\xa0\x80"]',
        b'["\xf4\x90\x80\x80"]',
        b'["\xe2\x82"]',
        b"\xef\xbb\xbf[]",
        b"\xff\xfe[\x00]\x00",
        b"[\x0b1]",
        b"[1\x0c]",
        b"[\xc2\xa0]",
        b"[1/**/]",
        b"//\n[]",
        b"[" * 100_000 + b"]" * 100_000,
        b'[{"a":' * 100_000,
        b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
        b"<html>",
    ],
)
def test_what_is_no_json_array_in_utf_8_is_a_broken_reply(body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        cut(body)


@pytest.mark.parametrize(
    ("row", "names", "left"),
    [
        (b'{"a":1,"b":2}', ["b"], b'{"a":1}'),
        (b'{"a":1,"b":2}', ["a"], b'{"b":2}'),
        (b'{"a":1,"b":2,"c":3}', ["b"], b'{"a":1,"c":3}'),
        (b'{"a":1,"b":2,"c":3}', ["a", "c"], b'{"b":2}'),
        (b'{"a": 1, "b": 2, "c": 3}', ["b"], b'{"a": 1, "c": 3}'),
        (b'{"a": 1, "b": 2, "c": 3}', ["a"], b'{"b": 2, "c": 3}'),
        (b'{\n  "a": 1,\n  "b": 2\n}', ["b"], b'{\n  "a": 1\n}'),
        (b'{\n  "a": 1,\n  "b": 2\n}', ["a"], b'{\n  "b": 2\n}'),
        (b'{ "a" : 1 , "b" : 2 }', ["b"], b'{ "a" : 1 }'),
        (b'{"a":1}', ["a"], b"{}"),
        (b'{\n  "a":1\n}', ["a"], b"{}"),
        (b'{"a":1}', ["z"], b'{"a":1}'),
        (b"{}", ["a"], b"{}"),
        (b"{ }", ["a"], b"{ }"),
        (rb'{"\u0061":1,"b":2}', ["a"], b'{"b":2}'),
        (rb'{"a\"b":1,"a":2,"\\":3}', ["a"], rb'{"a\"b":1,"\\":3}'),
        ('{"é":1,"b":"€"}'.encode(), ["é"], '{"b":"€"}'.encode()),
        (b'{"a":1e400,"b":-0,"c":1.0}', ["b"], b'{"a":1e400,"c":1.0}'),
        (b'{"a":{"b":1},"b":[{"b":2}],"c":"b"}', ["b"], b'{"a":{"b":1},"c":"b"}'),
    ],
)
def test_members_are_taken_out_and_the_rest_keeps_its_bytes(row: bytes, names: list[str], left: bytes) -> None:
    assert bytes(without(msgspec.Raw(row), names)) == left


@given(st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=5), st.sampled_from(STYLES[:-1]), st.data())
def test_a_row_without_members_is_what_the_application_would_have_written(row: Any, style: Any, data: Any) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3))
    raw = msgspec.Raw(json.dumps(row, **style).encode())
    left = {name: value for name, value in row.items() if name not in names}
    assert bytes(without(raw, names)) == (json.dumps(left, **style).encode())


@pytest.mark.parametrize(
    "row",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"b":2,"a":333}',
        b'{"a":111,"b":2,"a":3}',
        rb'{"a":1,"b":2,"\u0061":3}',
        b'{"b":1,"b":1}',
        b"[1]",
        b"7",
        b'"a"',
        b"null",
    ],
)
def test_a_row_that_is_no_object_or_has_a_member_twice_is_broken(row: bytes) -> None:
    # Found: the second of two members was dropped in silence when both values had the same length.
    with pytest.raises(BrokenReplyError):
        without(msgspec.Raw(row), ["b"])


def test_null_is_an_array_without_items_and_is_written_as_it_came() -> None:
    # Found (L3): an application in Go writes an empty list as `null`; the merged list was a 502.
    nothing, some = cut(b" null\n"), cut(b"[1, 2]")
    assert (nothing.raw, nothing.is_null) == ([], True)
    assert join([], [nothing, nothing]) == b"null"
    assert join(some.raw, [nothing, some]) == b"[1, 2]"
