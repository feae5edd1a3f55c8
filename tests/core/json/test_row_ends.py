"""Where rows end, found by brackets and quotes alone."""

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.json.row_ends import RowEnds

TEXTS = st.sampled_from(["", "a", '"', "\\", '\\"', "}", "]", "[{", "é😀", "\n"])
VALUES = st.recursive(
    st.none() | st.integers(-3, 3) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=6)


@given(ROWS, st.integers(1, 9), st.booleans())
def test_the_ends_are_those_of_the_rows(rows: list[Any], size: int, whole: bool) -> None:
    texts = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    body = b"[" + b", ".join(texts) + b"]"
    ends, at = set(), 1
    for text in texts:
        at += len(text)
        ends.add(at)
        at += 2
    found = RowEnds(in_array=not whole)
    start = 0 if whole else 1
    for place in range(start, len(body), size):
        piece = body[place : place + size]
        last = found.last(piece)
        inside = [end for end in ends if place < end <= place + size]
        if body[-1:] in piece and not inside:
            continue  # the array's own end is no row's
        assert (None if last is None else place + last) == (max(inside) if inside else None)


@pytest.mark.parametrize("mark", [b'\\"', b"\\\\", b'"', b"{", b"}", b"][", b'"\\', b'{"'])
def test_any_text_takes_time_by_its_length_alone(mark: bytes) -> None:
    found, piece = RowEnds(in_array=True), mark * (65536 // len(mark))
    began = process_time()
    for _ in range(20):
        found.last(b'"' + piece)
    assert process_time() - began < 3
