"""What each client may have while a worker has more to do than it can."""

from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.clients.crowd import CAPACITY_MIN, FULL_MAX, Crowd, fair_share


def test_a_hiccup_cuts_nobody_and_a_crowd_is_halved_until_it_is_none() -> None:
    crowd = Crowd(10_000)
    full = FULL_MAX + 0.1
    assert crowd.look(full, 800) is None
    assert crowd.look(0.0, 800) is None
    assert [crowd.look(full, 800) for _ in range(4)] == [None, 400, 200, 100]
    assert [crowd.look(0.0, 100) for _ in range(3)] == [112, 126, 141]
    for _ in range(50):
        last = crowd.look(0.0, 100)
    assert last is None


def test_a_queue_that_stays_full_leaves_what_keeps_shards_busy() -> None:
    crowd = Crowd(10_000)
    assert [crowd.look(FULL_MAX + 0.1, 100) for _ in range(9)][-1] == CAPACITY_MIN


def test_who_asks_for_less_than_an_equal_part_is_not_cut_and_the_others_share_what_is_left() -> None:
    assert fair_share([1, 2, 3, 1000], 100) == 94
    assert fair_share([50, 50, 50, 50], 100) == 25
    assert fair_share([1, 40, 60], 81) == 40


def test_the_largest_may_have_what_the_others_leave() -> None:
    assert fair_share([10, 20], 100) == 90
    assert fair_share([5], 100) == 100
    assert fair_share([9, 9, 9], 2) == 1
    assert fair_share([], 10) is None


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=40), st.integers(1, 20_000))
def test_the_fair_share_is_max_min(wanted: list[int], capacity: int) -> None:
    share = fair_share(wanted, capacity)
    assert share is not None
    had = [min(each, share) for each in sorted(wanted)]
    assert sum(had[:-1]) + share <= max(capacity, len(wanted))
    if capacity >= len(wanted):
        assert sum(min(each, share + 1) for each in had[:-1]) + share + len(wanted) > capacity
