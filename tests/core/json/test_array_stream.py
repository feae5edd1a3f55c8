"""A list that comes piece by piece is cut into the rows that the whole list has."""

import json
from collections.abc import Iterator
from time import process_time, thread_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.json.array import cut
from shardgate.core.json.array_stream import STEP_BYTES, RowStream
from shardgate.core.limits import ROW_BYTES_MAX

# Strings that look like the boundary of a row, rows within rows, and white space that a writer may put anywhere.
TEXTS = st.sampled_from(["", "a", '"},{"id":1', "}", "]", ',{"id":', "\\", "é😀", "[{"])
VALUES = st.recursive(
    st.none() | st.integers(-3, 3) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "}", "a"]), inner, max_size=2),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["id", "b", ',{"id":']), VALUES, max_size=3), max_size=12)
STYLES = st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 1}, {"ensure_ascii": False}])


def cut_in_pieces(pieces: list[bytes], row_bytes_max: int = ROW_BYTES_MAX) -> tuple[list[bytes], RowStream]:
    stream = RowStream(row_bytes_max)
    rows: list[bytes] = []
    for n, piece in enumerate(pieces, 1):
        stream.feed(piece)
        if n == len(pieces):
            stream.end()
        while (taken := stream.take()) is not None:
            assert [bytes(row) for row in cut(taken.body).raw] == [bytes(row) for row in taken.raw]
            rows += [bytes(row) for row in taken.raw]
    return rows, stream


def split_at(body: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(body) + 1) for place in places} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(ROWS, STYLES, st.lists(st.integers(0, 10_000), max_size=20), st.sampled_from(["", " ", "\n"]))
def test_the_rows_are_those_of_the_whole(rows: list[Any], style: Any, places: list[int], space: str) -> None:
    body = f"{space}{json.dumps(rows, **style)}{space}".encode()
    taken, stream = cut_in_pieces(split_at(body, places))
    assert taken == [bytes(row) for row in cut(body).raw]
    assert stream.over
    assert stream.size == 0


@pytest.mark.parametrize("style", [{"separators": (",", ":")}, {}, {"indent": 2}])
def test_a_cut_may_fall_on_every_byte(style: Any) -> None:
    rows = [{"id": n, "sub": [{"id": 1}, {"id": 2}], "text": ',{"id":3}]é'} for n in range(4)]
    body = json.dumps(rows, **style, ensure_ascii=False).encode()
    whole = [bytes(row) for row in cut(body).raw]
    for place in range(len(body)):
        assert cut_in_pieces([body[:place], body[place:]])[0] == whole
    assert cut_in_pieces([body[n : n + 1] for n in range(len(body))])[0] == whole


@given(st.binary(max_size=40) | st.text('[]{}",:1 a\\', max_size=30).map(str.encode), st.lists(st.integers(0, 50)))
@example(b'[{"a":1},]', [3])
@example(b'[{"a":1},{"b":1}{"c":1}]', [17])
@example(b'[{"a":1},{"b":1}] x', [17])
@example(b'[{"a":1},{"b":1}],[{"a":1}]', [17])
@example(b'[{"a":1},{"b":1}', [17])
@example(b'[{"a":"\xff"},{"b":1}]', [17])
def test_what_is_refused_whole_is_refused_in_pieces(body: bytes, places: list[int]) -> None:
    try:
        expected = [bytes(row) for row in cut(body).raw]
    except BrokenReplyError:
        with pytest.raises(BrokenReplyError):
            cut_in_pieces(split_at(body, places))
    else:
        assert cut_in_pieces(split_at(body, places))[0] == expected


def test_rows_are_given_before_the_list_is_whole() -> None:
    stream = RowStream()
    stream.feed(b'[{"id":1},{"id":2},{"id":3},{"i')
    taken = stream.take()
    assert taken is not None
    assert [bytes(row) for row in taken.raw] == [b'{"id":1}', b'{"id":2}', b'{"id":3}']
    assert stream.take() is None
    assert stream.size == len(b',{"i')


def test_a_long_piece_is_cut_in_steps() -> None:
    body = json.dumps([{"id": n, "text": "x" * 100} for n in range(20_000)]).encode()
    stream = RowStream()
    stream.feed(body)
    stream.end()
    sizes = []
    while (taken := stream.take()) is not None:
        sizes.append(len(taken.body))
    assert max(sizes) < 3 * STEP_BYTES


def test_a_row_full_of_what_looks_like_rows_is_cut_in_few_tries() -> None:
    row = {"id": 1, "sub": [{"id": n} for n in range(20_000)]}
    body = json.dumps([row] * 8, separators=(",", ":")).encode()
    pieces = [body[n : n + 10_000] for n in range(0, len(body), 10_000)]
    began = process_time()
    assert len(cut_in_pieces(pieces)[0]) == 8
    # It takes 0.05 s. To try each mark of each piece takes minutes.
    assert process_time() - began < 5


def test_a_long_row_that_comes_in_many_pieces_is_joined_a_few_times() -> None:
    """Found: 100 MB of one row took ten seconds, since what had come was joined anew at every piece."""
    body = b'[{"id":"%b"}]' % (b"y" * 40_000_000)
    began = process_time()
    assert len(cut_in_pieces([body[n : n + 16_384] for n in range(0, len(body), 16_384)], len(body))[0]) == 1
    # It takes 0.3 s; joined at every piece, 20 s.
    assert process_time() - began < 4


LONG_ROWS = [{"id": n, "sub": [{"id": k, "t": ',{"id":'} for k in range(40_000)], "end": '\\"}'} for n in range(5)]


@pytest.mark.parametrize("size", [1000, 65536, 300_000])
def test_long_rows_that_look_like_many_rows_are_cut_at_their_ends(size: int) -> None:
    """Each row has 40,000 places where one could end."""
    body = json.dumps(LONG_ROWS).encode()
    began = process_time()
    taken, stream = cut_in_pieces([body[at : at + size] for at in range(0, len(body), size)])
    assert taken == [bytes(row) for row in cut(body).raw]
    assert stream.over
    assert process_time() - began < 20


@pytest.mark.parametrize(
    "row",
    [
        b'{"id":1,"x":"' + b"y" * (ROW_BYTES_MAX + 200_000) + b'"}',
        b'{"id":1,"x":[' + b"{}," * (ROW_BYTES_MAX // 3 + 100_000) + b"{}]}",
    ],
)
def test_a_row_beyond_the_bound_is_refused_before_it_is_whole(row: bytes) -> None:
    """Found: a row of 100 MB took 3 s of the loop."""
    stream = RowStream()
    stream.feed(b'[{"id":0},{"id":0},' + row)
    took: list[float] = []
    with pytest.raises(ReplyTooLargeError):
        took.extend(timed(stream))
    assert max(took) < 0.25


def timed(stream: RowStream) -> Iterator[float]:
    """How long each call takes."""
    while True:
        began = thread_time()
        assert stream.take() is not None
        yield thread_time() - began


def test_a_row_within_the_bound_passes() -> None:
    row = b'{"id":1,"x":[' + b"{}," * (ROW_BYTES_MAX // 3 - 100) + b"{}]}"
    body = b"[%b,%b]" % (row[: row.index(b"[")] + b"[]}", row)
    assert cut_in_pieces([body[at : at + 65536] for at in range(0, len(body), 65536)])[0][1] == row
