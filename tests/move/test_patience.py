"""An attempt to switch keeps requests waiting for a little at first, and for longer where that was in vain."""

from shardgate.move.patience import HELD_S_MAX, patience


def test_the_first_attempt_is_short_and_longer_for_more_rows() -> None:
    assert 0.3 <= patience(0, 100).rows_s < patience(0, 10_000).rows_s <= 0.7
    assert patience(0, 100).closed_s == 0.25


def test_each_attempt_in_vain_doubles_it_up_to_what_the_fence_allows() -> None:
    assert patience(1, 10_000).rows_s == 2 * patience(0, 10_000).rows_s
    assert [patience(attempt, 0).closed_s for attempt in range(4)] == [0.25, 0.5, 1.0, 1.0]
    assert patience(14, 100).rows_s == patience(0, 10**7).rows_s == HELD_S_MAX
