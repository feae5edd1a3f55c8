"""Two rows of each shard tell where a page begins."""

import random
from bisect import bisect_left

import pytest

from shardgate.core.lists.expected import Expected, expected
from shardgate.core.lists.probing import Probing, fitting, stretch

Lists = dict[str, list[tuple[str]]]


def divided(total: int, count: int, seed: int) -> Lists:
    """Rows with random ids, divided by chance."""
    chance = random.Random(seed)
    lists: Lists = {f"s{n}": [] for n in range(count)}
    for key in sorted((f"{chance.randrange(16**12):012x}",) for _ in range(total)):
        lists[f"s{chance.randrange(count)}"].append(key)
    return lists


def begins(lists: Lists, offset: int) -> dict[str, int]:
    """How many rows of each shard stand before a page."""
    first = sorted(key for keys in lists.values() for key in keys)[offset]
    return {shard: bisect_left(keys, first) for shard, keys in lists.items()}


def probed(lists: Lists, offset: int) -> Probing:
    probing = Probing(offset, expected([*lists], offset))
    for places in probing.places():
        for shard, place in places.items():
            if place < len(lists[shard]):
                probing.take(shard, place, lists[shard][place])
            else:
                probing.ended(shard, place)
    return probing


@pytest.mark.parametrize("count", [2, 3, 8, 16])
@pytest.mark.parametrize("offset", [1000, 5000, 15_000, 30_000])
def test_the_page_begins_in_a_stretch_of_few_rows(count: int, offset: int) -> None:
    lists = divided(33_000, count, count)
    truth = begins(lists, offset)
    for shard, (start, end) in probed(lists, offset).stretches(20, 0).items():
        assert start < truth[shard] < end
        assert end - start <= 80


@pytest.mark.parametrize(
    "keys",
    [(1e308, 1e308, -1e308, 1e308, 1e308, 0.0), (1e308, 1e308, -1e308) * 2, (0.0, 1e300, 1e308, 5e-324, 1e308, 1e308)],
)
def test_keys_as_far_apart_as_numbers_go_are_no_failure(keys: tuple[float, ...]) -> None:
    # Found: a vendor's prices of 1e308 and -1e308 ended deep pages by price in 500 SG9001, for everybody.
    probing = Probing(6000, expected(["a", "b", "c"], 6000))
    points = [(shard, place) for places in probing.places() for shard, place in places.items()]
    for (shard, place), key in zip(points, keys, strict=True):
        probing.take(shard, place, key)
    for start, end in probing.stretches(20, 58).values():
        assert 0 <= start < end


def test_a_shard_without_rows_has_a_stretch_too() -> None:
    lists = {**divided(3000, 2, 1), "empty": []}
    assert set(probed(lists, 1000).stretches(20, 0)) == set(lists)


def test_a_stretch_is_as_wide_as_the_place_is_unsure_and_may_be_longer_where_rows_are_left() -> None:
    one = Expected(1000.0, 10.0, 0.25)
    start, end = stretch(one, 20)
    assert start <= 1000 - 40 - 1
    assert 1040 <= end <= 1040 + 2 + 20
    assert fitting(one, 20, 1000) == (start, 1042 + 20)
    assert fitting(one, 20, 60)[0] > start
