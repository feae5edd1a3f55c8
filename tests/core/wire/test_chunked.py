"""The chunked coding in raw bytes, cut at every place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import ClientError
from shardgate.core.limits import CHUNK_LINE_BYTES_MAX, CHUNKS_BYTES_AT_ONCE, HEAD_BYTES_MAX
from shardgate.core.wire.chunked import ChunkedDecoder, bytes_at_once

VALID = [
    (b"0\r\n\r\n", b"", b""),
    (b"000\r\n\r\n", b"", b""),
    (b"5\r\nhello\r\n0\r\n\r\n", b"hello", b""),
    (b"5\r\nhello\r\n0\r\n\r\nGET /", b"hello", b"GET /"),
    (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world", b""),
    (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", b""),
    (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789", b""),
    (b"00005\r\nhello\r\n0\r\n\r\n", b"hello", b""),
    (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", b""),
    (b"5;x\r\nhello\r\n0\r\n\r\n", b"hello", b""),
    (b'5;x=1;y="z"\r\nhello\r\n0;last\r\n\r\n', b"hello", b""),
    (b"5 ;x\r\nhello\r\n0\r\n\r\n", b"hello", b""),
    (b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", b"hello", b""),
    (b"0\r\nX: y\r\nZ: w\r\n\r\nrest", b"", b"rest"),
    (b"0;" + b"x" * (CHUNK_LINE_BYTES_MAX - 2) + b"\r\n\r\n", b"", b""),
]
INVALID = [
    b"\r\n\r\n",
    b"x\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5_0\r\nhello\r\n0\r\n\r\n",
    b"0_2e\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"5\t\r\nhello\r\n0\r\n\r\n",
    b"5,\r\nhello\r\n0\r\n\r\n",
    b"5 x\r\nhello\r\n0\r\n\r\n",
    b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\r\n0\r\n\r\n",
    b"5\r\r\nhello\r\n0\r\n\r\n",
    b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    b"5;a\x00\r\nhello\r\n0\r\n\r\n",
    b"1234567890abcdef\r\n",
    b"ffffffffffffffffffff\r\n",
    b"01000000000000000\r\n\r\n",
    b"5\r\nhelloX\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n",
    b"6\r\nhello\r\n0\r\n\r\n",
    b"0\r\nX\r\n\r\n",
    b"0\r\nX : y\r\n\r\n",
    b"0\r\n X: y\r\n\r\n",
    b"0\r\nX: y\nZ: w\r\n\r\n",
    b"0\r\nX: \x00\r\n\r\n",
    b"0;" + b"x" * (CHUNK_LINE_BYTES_MAX - 1) + b"\r\n\r\n",
    b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    b"0\r\nX: " + b"y" * HEAD_BYTES_MAX + b"\r\n\r\n",
]
UNFINISHED = [b"", b"5", b"5\r", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n0\r\n", b"0\r\nX: y\r\n"]


@pytest.mark.parametrize(("coded", "data", "rest"), VALID)
def test_a_valid_message_is_decoded(coded: bytes, data: bytes, rest: bytes) -> None:
    assert decode([coded]) == (data, rest)


@pytest.mark.parametrize("coded", INVALID)
def test_a_message_that_is_not_plain_is_refused(coded: bytes) -> None:
    assert isinstance(decode([coded]), str)


@pytest.mark.parametrize("coded", UNFINISHED)
def test_a_message_that_has_not_ended_is_not_done(coded: bytes) -> None:
    assert decode([coded]) is None


@pytest.mark.parametrize("coded", [coded for coded, _, _ in VALID] + INVALID[:-2] + UNFINISHED)
def test_one_byte_at_a_time_says_the_same(coded: bytes) -> None:
    # Found: a size line of the longest length was refused when its CR and LF came apart.
    whole, apart = decode([coded]), decode([coded[n : n + 1] for n in range(len(coded))])
    assert whole == apart or (isinstance(whole, str) and isinstance(apart, str))


def test_a_trailer_section_is_too_long_however_it_comes() -> None:
    # Found: one that came in a single piece had no bound.
    section = b"0\r\nX: " + b"y" * HEAD_BYTES_MAX + b"\r\n\r\n"
    whole, cut = decode([section]), decode([section[:100], section[100:]])
    assert whole == cut == "the trailer section is longer than 32768 bytes"


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.binary(max_size=5), st.data())
def test_any_data_survives_any_chunks_and_any_cuts(chunks: list[bytes], behind: bytes, data: st.DataObject) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n" + behind
    cuts = sorted(data.draw(st.lists(st.integers(0, len(coded)), max_size=8)))
    pieces = [coded[a:b] for a, b in zip([0, *cuts], [*cuts, len(coded)], strict=True)]
    expected = b"".join(chunks)
    assert decode(pieces) == (expected, behind)


@given(st.text("05aF;\r\n x", max_size=20).map(str.encode), st.integers(0, 20))
def test_where_the_bytes_were_cut_does_not_matter(coded: bytes, cut: int) -> None:
    whole, apart = decode([coded]), decode([coded[:cut], coded[cut:]])
    assert whole == apart or (isinstance(whole, str) and isinstance(apart, str))


TINY = [b"%x\r\n%b\r\n" % (size, b"\r\n1\r\nx\r\n0\r\n\r\n123"[:size]) for size in range(1, 16)]


@given(st.lists(st.sampled_from([*TINY, *map(bytes.upper, TINY), *INVALID, *UNFINISHED]), max_size=12))
def test_a_run_of_tiny_chunks_says_the_same_as_its_bytes_one_by_one(coded: list[bytes]) -> None:
    whole = b"".join(coded) + b"0\r\n\r\nrest"
    run, apart = decode([whole]), decode([whole[n : n + 1] for n in range(len(whole))])
    assert run == apart or (isinstance(run, str) and isinstance(apart, str))


def test_only_very_many_small_chunks_are_decoded_in_turns() -> None:
    # Found: a request body in chunks of one byte held up the loop for 2.8 s.
    tiny, small, long = b"1\r\nx\r\n" * 100_000, b"1;%b\r\nx\r\n" % (b"a" * 200), b"ffff\r\n%b\r\n" % (b"x" * 0xFFFF)
    assert bytes_at_once(tiny) == bytes_at_once(small * 1000) == CHUNKS_BYTES_AT_ONCE
    for data in (b"", tiny[:CHUNKS_BYTES_AT_ONCE], small * 200, long * 4):
        assert bytes_at_once(data) == len(data)


def decode(pieces: list[bytes]) -> tuple[bytes, bytes] | str | None:
    """Data and what is behind it; what is wrong; or None where there must come more."""
    decoder = ChunkedDecoder()
    data, behind = b"", b""
    try:
        for piece in pieces:
            if decoder.done:
                behind += piece
            else:
                data += decoder.feed(piece)
                behind = decoder.rest
    except ClientError as error:
        return str(error)
    return (data, behind) if decoder.done else None
