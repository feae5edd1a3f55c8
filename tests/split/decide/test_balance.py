"""The division of tenants by weight: properties that hold for any weights."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from shardgate.split.decide.balance import balance, imbalance

weights = st.lists(st.integers(0, 10**9), max_size=200)
shards = st.integers(1, 16)


def loads(sizes: list[int], count: int) -> list[int]:
    total = [0] * count
    for size, shard in zip(sizes, balance(sizes, count), strict=True):
        total[shard] += size
    return total


@given(weights, shards)
def test_every_tenant_gets_one_shard(sizes: list[int], count: int) -> None:
    chosen = balance(sizes, count)
    assert len(chosen) == len(sizes)
    assert all(0 <= shard < count for shard in chosen)


@given(weights, shards)
def test_the_fullest_shard_is_near_the_average(sizes: list[int], count: int) -> None:
    """The bound of any greedy division: it exceeds the average by less than the largest tenant."""
    largest = max(sizes, default=0)
    bound = sum(sizes) / count + largest * (1 - 1 / count)
    assert max(loads(sizes, count)) <= bound * (1 + 1e-9)


@given(st.lists(st.integers(0, 100), max_size=7), st.integers(1, 3))
def test_the_fullest_shard_is_at_most_4_3_of_the_best_division(sizes: list[int], count: int) -> None:
    best = min(
        max(sum(s for s, where in zip(sizes, choice, strict=True) if where == shard)
            for shard in range(count))
        for choice in product(range(count), repeat=len(sizes))
    )  # fmt: skip
    assert max(loads(sizes, count)) <= best * (4 / 3 - 1 / (3 * count)) + 1e-9


@given(weights, shards)
def test_the_same_weights_give_the_same_division(sizes: list[int], count: int) -> None:
    assert balance(sizes, count) == balance(list(sizes), count)


def test_tenants_are_divided_by_size_not_by_number() -> None:
    assert balance([90, 30, 30, 30], 2) == [0, 1, 1, 1]


def test_tenants_without_weight_are_spread() -> None:
    assert balance([0, 0, 0, 0], 2) == [0, 1, 0, 1]


def test_imbalance_compares_the_fullest_with_the_average() -> None:
    assert imbalance([10, 10]) == 0
    assert imbalance([30, 10]) == 0.5
    assert imbalance([0, 0]) == 0
