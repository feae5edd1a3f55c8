"""Sort keys as numbers: they rise as the keys do, and are as far apart as what the keys stand for."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.lists.scale import EVEN, LUMPY, POOR, measured
from shardgate.core.order.ranking import Down


def parts(keys: Sequence[Any]) -> list[float]:
    """Where the keys lie between the first and the last one, from 0 to 1."""
    numbers, _ = measured(keys)
    return [round((each - numbers[0]) / (numbers[-1] - numbers[0]), 2) for each in numbers]


@pytest.mark.parametrize(
    "keys",
    [
        [(0,), (25,), (100,)],
        [(Decimal("0.0"),), (Decimal("0.25"),), (1,)],
        [("2026-01-01",), ("2026-01-02",), ("2026-01-05",)],
        [("2026-01-01T23:00:00Z",), ("2026-01-02T00:00:00Z",), ("2026-01-02T03:00:00Z",)],
        [("row-0000",), ("row-0250",), ("row-1000",)],
        [("00" + 30 * "a",), ("40" + 30 * "b",), ("ff" + 30 * "c",)],
        [((63_000_000, ""),), ((63_000_100, "5"),), ((63_000_400, ""),)],
        [((1, 7),), ((1, 9.5),), ((1, 17),)],
    ],
)
def test_numbers_times_and_codes_are_as_far_apart_as_they_are(keys: Sequence[Any]) -> None:
    assert parts(keys) == [0.0, 0.25, 1.0]
    assert measured(keys)[1] == EVEN


def test_a_key_that_descends_goes_the_other_way() -> None:
    assert parts([(Down(100),), (Down(75),), (Down(0),)]) == [0.0, 0.25, 1.0]


def test_rows_with_equal_first_keys_are_told_apart_by_the_next_ones() -> None:
    numbers, trust = measured([(5, "00"), (5, "80"), (6, "00"), (6, "c0"), (7, "f0")])
    assert numbers == sorted(numbers)
    assert trust == LUMPY
    assert numbers[1] - numbers[0] == pytest.approx(numbers[2] - numbers[1], rel=0.2)


@pytest.mark.parametrize(
    "names",
    [["Alps by night", "Boat tour", "Caves"], ["Boat tour", "Boat trip", "Boating"], ["é", "ê", "ü"], ["a", "a", "a"]],
)
def test_texts_of_a_language_do_not_say_how_far_they_are_apart(names: list[str]) -> None:
    assert measured([(name,) for name in names])[1] == POOR


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(), st.text(), st.booleans(), st.binary())), max_size=9))
@settings(max_examples=300, deadline=None)
def test_no_key_fails(keys: list[Any]) -> None:
    assert len(measured(keys)[0]) == len(keys)


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.text("0123456789", min_size=4, max_size=4)), max_size=9))
@settings(max_examples=300, deadline=None)
def test_numbers_rise_as_the_keys_do(keys: list[tuple[int, str]]) -> None:
    numbers, _ = measured(sorted(keys))
    assert numbers == sorted(numbers)
