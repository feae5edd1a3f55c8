"""How many rows a list may have that is merged whole."""

import pytest

from shardgate.core.errors import ReplyTooLargeError
from shardgate.core.limits import (
    GROUPED_COLONS_MAX,
    GROUPED_ROWS_MAX,
    WHOLE_BYTES_MAX,
    WHOLE_ROWS_MAX,
    WHOLE_VALUES_MAX,
)
from shardgate.core.paging.bounds import (
    check_groups,
    check_members,
    check_values,
    check_whole,
    likely_limit,
    too_many,
)


def test_a_list_that_is_held_whole_has_a_bound() -> None:
    check_whole(WHOLE_ROWS_MAX)
    with pytest.raises(ReplyTooLargeError):
        check_whole(WHOLE_ROWS_MAX + 1)
    check_whole(1, WHOLE_BYTES_MAX)
    with pytest.raises(ReplyTooLargeError):
        check_whole(1, WHOLE_BYTES_MAX + 1)


def test_so_do_the_values_of_a_reply() -> None:
    """Found: 32 MB of small numbers took 1.2 GB of memory."""
    check_values(b"1," * WHOLE_VALUES_MAX)
    with pytest.raises(ReplyTooLargeError):
        check_values(b"1," * (WHOLE_VALUES_MAX + 1))


def test_so_do_the_rows_and_the_members_of_reports_by_groups() -> None:
    """Found: 500,000 rows, or one row with a million members, took 15 MB, then 521 MB and more than 13 s."""
    check_groups(GROUPED_ROWS_MAX)
    with pytest.raises(ReplyTooLargeError, match="more than 100000 rows"):
        check_groups(GROUPED_ROWS_MAX + 1)
    half = b":" * (GROUPED_COLONS_MAX // 2)
    check_members([half, half])
    with pytest.raises(ReplyTooLargeError, match="more than 1000000 members"):
        check_members([half, half, b":"])


def test_what_is_said_of_too_many_rows() -> None:
    error = too_many(5, 9)
    assert (error.where, "asked for 5 rows, found 9" in error.log) == ("row 5, counted from 0", True)


def test_a_limit_that_shards_gave_alike_or_that_is_round_is_likely() -> None:
    # Found: one shard alone that had more rows than the application's limit was taken for one that ended.
    counts = ([20, 20, 3], [20, 3], [100], [17, 17], [64, 9], [36])
    assert [likely_limit(each) for each in counts] == [20, 20, 100, 17, 64, 36]
    unlikely: tuple[list[int], ...] = ([17, 3], [4, 4], [], [0])
    assert [likely_limit(each) for each in unlikely] == [None] * 4
    assert (likely_limit([20, 20], 21), likely_limit([20, 20], 20)) == (None, 20)
