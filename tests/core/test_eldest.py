"""A full table drops its oldest entries, and costs no more than one that has room."""

from collections.abc import Callable
from time import perf_counter

import pytest

from shardgate.core.eldest import AT_ONCE_MAX, drop_oldest
from shardgate.core.locate.memory import LearnedKeys

ROUNDS = 5


@pytest.mark.parametrize(("size", "leave"), [(1, 1), (15, 1), (160, 10), (1_000_000, AT_ONCE_MAX)])
def test_the_oldest_leave_at_most_a_sixteenth_at_once(size: int, leave: int) -> None:
    table = dict.fromkeys(range(size), "")
    drop_oldest(table)
    assert len(table) == size - leave
    assert next(iter(table), None) == (leave if leave < size else None)


def learned_keys(size: int) -> Callable[[int], None]:
    memory = LearnedKeys(size)
    return lambda number: memory.learn("event", f"k{number}", "north")


@pytest.mark.parametrize(("make", "size"), [(learned_keys, 200_000)])
def test_a_full_table_costs_no_more_than_one_with_room(make: Callable[[int], Callable[[int], None]], size: int) -> None:
    """Found: each key that a full table of learned keys took cost 43 µs instead of 1.2, and each new row of a list."""
    add = make(size)  # one at a time: 20 to 40 times as much

    def took_s(first: int, count: int) -> float:
        began_at = perf_counter()
        for number in range(first, first + count):
            add(number)
        return perf_counter() - began_at

    step = size // ROUNDS
    with_room = min(took_s(number * step, step) for number in range(ROUNDS))
    full = min(took_s(size + number * step, step) for number in range(ROUNDS))
    assert full < 10 * with_room
