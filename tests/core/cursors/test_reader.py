"""One shard's list, read page by page: forward until a page is full, or backward up to a key."""

import msgspec
import pytest

from shardgate.core.cursors.reader import Backward, Forward, ShardPage, Start
from shardgate.core.errors import BrokenReplyError
from shardgate.core.order.keyed_rows import KeyedRow


def page(*keys: int, following: str | None = "next", more: bool | None = None, full: bool = True) -> ShardPage:
    rows = [KeyedRow(str(key), "north", key, msgspec.Raw(b"{}")) for key in keys]
    return ShardPage(rows, following, more, None, full)


def keys(stream: Forward | Backward) -> list[int]:
    return [row.key for row in stream.rows]


def test_a_shard_is_read_until_there_are_enough_rows_and_it_is_known_whether_there_are_more() -> None:
    stream = Forward(Start(), None, 3, tells_more=True)
    assert stream.wanted
    stream.take(page(1, 2, following="b", more=True))
    assert stream.wanted
    assert stream.place == Start("b")
    stream.take(page(3, 4, following="d", more=False))
    assert keys(stream) == [1, 2, 3, 4]
    assert not stream.wanted


def test_rows_up_to_the_key_are_passed_over() -> None:
    stream = Forward(Start("a"), 2, 2, tells_more=False, far=True)
    assert stream.walking
    stream.take(page(1, 2, following="b"))
    assert stream.walking
    stream.take(page(3, 4, following="d"))
    assert keys(stream) == [3, 4]
    assert not stream.walking


def test_a_shard_whose_rows_are_all_behind_a_bound_need_not_be_read_on() -> None:
    stream = Forward(Start(), None, 5, tells_more=False)
    stream.take(page(1, 7, following="b"))
    assert stream.reaches(6)
    assert not stream.reaches(8)


def test_the_cursor_behind_the_used_rows_is_of_a_page_at_or_before_them() -> None:
    stream = Forward(Start("a"), None, 4, tells_more=False)
    stream.take(page(1, 2, following="b"))
    stream.take(page(3, 4, following="c"))
    assert [stream.position(used) for used in range(5)] == ["a", "a", "b", "b", "c"]


@pytest.mark.parametrize("stream", [Forward(Start(), None, 5, tells_more=True), Backward(Start(), 9, 5)])
def test_a_page_that_does_not_go_on_is_a_broken_reply(stream: Forward | Backward) -> None:
    stream.take(page(1, 2, following="b", more=True))
    with pytest.raises(BrokenReplyError, match="does not go on") as caught:
        stream.take(page(1, 2, following="b", more=True))
    assert caught.value.where == "row 0, counted from 0"
    assert caught.value.log == "asked from cursor `b`: 2 rows, the first with the tie-breaker `1`"


def test_backward_keeps_the_last_rows_before_the_key() -> None:
    stream = Backward(Start(), 6, 2)
    stream.take(page(1, 2, 3, following="c"))
    assert stream.wanted
    stream.take(page(4, 5, 6, 7, following="g"))
    assert keys(stream) == [3, 4, 5]
    assert stream.more
    assert not stream.wanted


def test_backward_from_a_row_of_the_shard_takes_one_page() -> None:
    stream = Backward(Start("7", before=True), None, 2)
    stream.take(page(5, 6))
    assert keys(stream) == [5, 6]
    assert not stream.wanted
