"""A block is read by as many requests as the application's pages make of it, and is what stood there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.contracts import Listing
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import BrokenReplyError
from shardgate.core.lists.blocks import read
from shardgate.core.lists.selection import Block, ChangedError


def dialect(most: int, *, pages: bool) -> AnyDialect:
    return Pages(limit_default=1, limit_max=most) if pages else Offset(limit_max=most)


def rows_of(size: int, start: int, count: int | None, *, total: bool = True) -> Listing:
    rows = list(range(size))[start:] if count is None else list(range(size))[start : start + count]
    return Listing(json.dumps(rows).encode(), size if total else None)


@given(st.integers(1, 60), st.booleans(), st.integers(0, 5000), st.integers(1, 300))
def test_a_request_gives_the_first_row_that_is_wanted(most: int, pages: bool, start: int, count: int) -> None:
    first, many = dialect(most, pages=pages).cover(start, count)
    assert many is not None
    assert 1 <= many <= most
    assert first <= start < first + many
    assert first == start or (pages and first % many == 0)


@given(st.integers(1, 30), st.booleans(), st.integers(0, 90), st.integers(1, 60), st.integers(0, 90), st.booleans())
def test_any_block_is_read_whole(most: int, pages: bool, start: int, count: int, size: int, total: bool) -> None:
    reading = read(dialect(most, pages=pages), [Block("s", start, count)], {})
    for _ in range(200):
        wanted = reading.wanted()
        if not wanted:
            break
        (block,) = wanted
        reading.take("s", rows_of(size, block.start, block.count, total=total))
    ((_, rows),) = reading.blocks()
    assert json.loads(rows.body) == list(range(size))[start : start + count]
    assert [json.loads(bytes(row)) for row in rows.raw] == json.loads(rows.body)


def test_rows_that_move_between_two_requests_are_seen() -> None:
    reading = read(Offset(limit_max=5), [Block("s", 0, 9)], {})
    reading.take("s", Listing(b"[0,1,2,3,4]"))
    (block,) = reading.wanted()
    assert (block.start, block.count) == (4, 5)
    with pytest.raises(ChangedError):
        reading.take("s", Listing(b"[5,6,7,8,9]"))


def test_pages_shorter_than_the_rule_says_are_found_out() -> None:
    reading = read(Offset(limit_max=50), [Block("s", 0, 40)], {})
    with pytest.raises(BrokenReplyError):
        reading.take("s", Listing(b"[0,1,2,3,4]", 90))


def test_nobody_is_asked_for_rows_behind_a_stated_end() -> None:
    assert list(read(Offset(past_end=404), [Block("s", 7, 9)], {"s": 7}).wanted()) == []
    assert list(read(Offset(past_end=404), [Block("s", 6, 9)], {"s": 7}).wanted()) == [Block("s", 6, 9)]
