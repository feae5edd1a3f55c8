"""A purge keeps up with what comes, in steps that are short on any disk."""

import pytest

from shardgate.core.changes.purging import IDLE_S, ROWS_MAX, ROWS_MIN, STEP_S, PurgePace


@pytest.mark.parametrize(("row_s", "keys_per_s_min"), [(5e-6, 10_000), (20e-6, 5_000), (200e-6, 500)])
def test_it_deletes_what_comes_and_holds_the_lock_for_short_steps(row_s: float, keys_per_s_min: int) -> None:
    """Found: 1,000 keys a minute were deleted at most, so that the store grew without end above 17 a second."""
    pace, at, deleted, longest_s = PurgePace(), 0.0, 0, 0.0
    for step in range(1000):
        held_s = pace.rows * row_s + 0.001  # and the commit
        longest_s = max(longest_s, held_s if step > 5 else 0.0)
        deleted += pace.rows
        at += held_s + pace.after(more=True, held_s=held_s)
    assert deleted / at > keys_per_s_min
    assert longest_s < 2 * STEP_S


def test_a_slow_disk_gets_small_steps_and_the_store_four_fifths_of_the_time() -> None:
    pace = PurgePace()
    for _ in range(10):
        assert pace.after(more=True, held_s=1.0) == 4.0
    assert pace.rows == ROWS_MIN


def test_where_nothing_is_left_it_rests_and_steps_have_a_bound() -> None:
    pace = PurgePace()
    for _ in range(20):
        pace.after(more=True, held_s=0.0)
    assert pace.rows == ROWS_MAX
    assert pace.after(more=False, held_s=0.001) == IDLE_S
