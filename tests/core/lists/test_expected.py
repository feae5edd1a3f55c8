"""Where a page is expected on each shard: between two places that are known, or behind the last one."""

import pytest

from shardgate.core.lists.expected import expected


def test_where_nothing_is_known_each_shard_has_an_even_share() -> None:
    found = expected(["a", "b", "c", "d"], 4000)
    assert [round(one.place) for one in found.values()] == [1000] * 4
    assert found["a"].deviation == pytest.approx((4000 * 3 / 16) ** 0.5)


def test_between_two_places_the_shares_are_those_of_the_rows_between_them() -> None:
    found = expected(["a", "b"], 1500, (1000, {"a": 1000, "b": 0}), (2000, {"a": 1100, "b": 900}))
    assert (found["a"].place, found["b"].place) == (1050, 450)
    assert found["a"].share == 0.1
    assert found["a"].deviation < (250 * 0.1) ** 0.5


def test_a_place_that_is_known_is_certain() -> None:
    found = expected(["a", "b"], 1000, (1000, {"a": 400, "b": 600}), (2000, {"a": 900, "b": 1100}))
    assert [(one.place, one.deviation) for one in found.values()] == [(400, 0), (600, 0)]


def test_behind_the_last_place_the_share_is_that_of_many_rows_before_it_and_less_sure() -> None:
    few = expected(["a", "b"], 40_000, (20, {"a": 20, "b": 0}))
    many = expected(["a", "b"], 40_000, (20_000, {"a": 18_000, "b": 2000}))
    assert few["a"].share < 0.52
    assert many["a"].share > 0.85
    assert many["a"].deviation > expected(["a", "b"], 20_000)["a"].deviation * 0.7
