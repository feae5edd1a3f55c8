"""A page of a merged list is found by small blocks, exactly, however the rows are divided, and while they change."""

import json
import random
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.lists.selection import Block, ChangedError, Selection
from shardgate.core.order.order import total_order
from shardgate.core.order.ranking import Ranking
from shardgate.core.order.sort_key import SortKey

Shards = dict[str, list[Any]]


class Walk:
    """One page being found in lists that a test may change before each round."""

    def __init__(self, shards: Shards, offset: int, limit: int, change: Callable[[], None] = lambda: None) -> None:
        self.shards = shards
        self.offset = offset
        self.limit = limit
        self.change = change
        self.rounds = self.rows = self.begun = 0

    def page(self, guess: Mapping[str, int] | None = None) -> list[Any]:
        """The page. Raises ChangedError."""
        self.begun += 1
        selection = Selection(list(self.shards), self.offset, self.limit, guess)
        while True:
            if not selection.narrow_enough:
                selection.take(self.read(selection.blocks()))
                continue
            last = self.read(selection.page_blocks())
            skip = selection.skip(last)
            if skip is not None:
                return sorted(key for keys in last.values() for key in keys)[skip : skip + self.limit]

    def page_at_last(self) -> list[Any]:
        """The page; begun anew where rows changed."""
        while True:
            try:
                return self.page()
            except ChangedError:
                if self.begun == 30:
                    self.change = lambda: None

    def read(self, blocks: Sequence[Block]) -> dict[Block, list[Any]]:
        self.change()
        found = {block: self.shards[block.shard][block.start : block.start + (block.count or 0)] for block in blocks}
        self.rounds += 1
        self.rows += sum(map(len, found.values()))
        return found

    def whole(self) -> list[Any]:
        """The same page of the sorted whole, as it stands now."""
        return sorted(key for keys in self.shards.values() for key in keys)[self.offset : self.offset + self.limit]


def divided(total: int, count: int, how: str, seed: int = 0) -> dict[str, list[int]]:
    chance = random.Random(total * 31 + count + seed * 1009)
    shards: dict[str, list[int]] = {f"s{n}": [] for n in range(count)}
    for row in range(total):
        place = {"hash": chance.randrange(count), "range": row * count // max(total, 1), "skewed": 0}[how]
        if how == "skewed" and chance.random() < 0.1:
            place = chance.randrange(count)
        shards[f"s{place}"].append(row)
    return shards


@given(
    st.lists(st.lists(st.integers(0, 5000), max_size=400, unique=True), min_size=1, max_size=6),
    st.integers(0, 3000),
    st.integers(1, 60),
)
@settings(max_examples=300, deadline=None)
def test_the_page_is_that_of_the_sorted_whole(lists: list[list[int]], offset: int, limit: int) -> None:
    shards = {f"s{n}": sorted((value, n) for value in values) for n, values in enumerate(lists)}
    walk = Walk(shards, offset, limit)
    assert walk.page() == walk.whole()


@given(
    st.lists(st.lists(st.integers(0, 300), max_size=400, unique=True), min_size=2, max_size=6),
    st.integers(0, 1500),
    st.integers(1, 60),
)
@settings(max_examples=200, deadline=None)
def test_rows_that_several_shards_have_are_all_there(lists: list[list[int]], offset: int, limit: int) -> None:
    walk = Walk({f"s{n}": sorted(values) for n, values in enumerate(lists)}, offset, limit)
    assert walk.page() == walk.whole()


@given(st.integers(0, 10**6), st.integers(100, 1400), st.integers(1, 40), st.sampled_from(["hash", "range", "skewed"]))
@settings(max_examples=60, deadline=None)
def test_several_keys_up_and_down(seed: int, offset: int, limit: int, how: str) -> None:
    keys = {"a": SortKey(type="number"), "b": SortKey(nulls="first"), "id": SortKey(type="number")}
    order = (("a", True), ("b", False), ("id", True))
    ranking = Ranking(total_order(order, keys, order[-1][0]))
    chance = random.Random(seed)
    shards: Shards = {}
    for name, ids in divided(1500, 4, how, seed).items():
        rows = [{"a": chance.randrange(40), "b": chance.choice([None, "x", "y"]), "id": n} for n in ids]
        rows.sort(key=lambda row: (-row["a"], row["b"] or "", -row["id"]))
        count = ranking.add(json.dumps(rows).encode())
        shards[name] = ranking.comparable(len(ranking.rows) - count, len(ranking.rows))
    walk = Walk(shards, offset, limit)
    assert walk.page() == walk.whole()


@pytest.mark.parametrize("how", ["hash", "range", "skewed"])
@pytest.mark.parametrize("count", [2, 3, 8, 16])
@pytest.mark.parametrize("offset", [0, 100, 3000, 29_990, 32_990, 40_000])
def test_a_deep_page_takes_few_rounds_and_few_rows(how: str, count: int, offset: int) -> None:
    walk = Walk(divided(33_000, count, how), offset, 20)
    assert walk.page() == list(range(33_000))[offset : offset + 20]
    assert walk.rounds <= (5 if how == "hash" and offset < 32_000 else 17)
    if how == "hash" and count <= 8:
        assert walk.rows <= 2000


@pytest.mark.parametrize("seed", range(40))
def test_a_page_thirty_thousand_rows_deep_takes_three_rounds_at_most(seed: int) -> None:
    walk = Walk(divided(33_000, 8, "hash", seed), 30_000, 20)
    walk.page()
    assert walk.rounds <= 3
    assert walk.rows <= 2000


@given(st.integers(0, 10**6), st.sampled_from(["hash", "range", "skewed"]), st.integers(0, 1600), st.integers(1, 50))
@settings(max_examples=200, deadline=None)
def test_rows_that_change_between_rounds_never_make_a_page_that_was_nowhere(
    seed: int, how: str, offset: int, limit: int
) -> None:
    """The page is the one of the moment of the last round."""
    chance = random.Random(seed)
    shards: Shards = {name: [row * 10 for row in rows] for name, rows in divided(1500, 4, how, seed).items()}
    most = chance.choice((1, 3, 50))

    def change() -> None:
        for _ in range(chance.randint(0, most)):
            rows = shards[chance.choice(list(shards))]
            if chance.random() < 0.5 and rows:
                del rows[chance.randrange(len(rows))]
            else:
                insort(rows, chance.randrange(15_000) * 10 + chance.randrange(1, 10))
        for name in shards:
            shards[name] = sorted(set(shards[name]))

    walk = Walk(shards, offset, limit, change)
    assert walk.page_at_last() == walk.whole()


def test_rows_that_come_behind_what_was_the_end_are_not_missed() -> None:
    """Found by the test above: a page behind the end was empty, though rows had come there meanwhile."""
    shards: Shards = {"a": list(range(0, 1000, 2)), "b": list(range(1, 1000, 2))}
    walk = Walk(shards, 1010, 20)
    selection = Selection(list(shards), walk.offset, walk.limit)
    while not selection.narrow_enough:
        selection.take(walk.read(selection.blocks()))
    shards["b"] += range(1001, 1101, 2)
    last = walk.read(selection.page_blocks())
    try:
        skip = selection.skip(last)
    except ChangedError:
        skip = None
    if skip is not None:
        assert sorted(key for keys in last.values() for key in keys)[skip : skip + walk.limit] == walk.whole()
    assert walk.page() == walk.whole() == list(range(1021, 1061, 2))


def test_a_guess_that_is_right_takes_one_round_and_one_that_is_not_two_more() -> None:
    shards = divided(20_000, 3, "hash")
    right = {name: sum(row < 10_000 for row in rows) for name, rows in shards.items()}
    walk = Walk(shards, 10_000, 20)
    assert (walk.page(right), walk.rounds) == (walk.whole(), 1)
    wrong = {**right, "s0": right["s0"] + 40, "s1": right["s1"] - 40}
    again = Walk(shards, 10_000, 20)
    assert again.page(wrong) == again.whole()
    assert again.rounds <= 3


@pytest.mark.parametrize("offset", [900, 990, 1010, 1200])
def test_a_shard_that_gives_more_than_it_was_asked_for_hides_nothing(offset: int) -> None:
    walk = Walk(divided(1000, 3, "hash"), offset, 20)
    generous = {name: [*rows, 10_000 + n] for n, (name, rows) in enumerate(walk.shards.items())}
    walk.shards = generous
    walk.read = lambda blocks: {block: generous[block.shard][block.start :] for block in blocks}  # type: ignore[method-assign]
    assert walk.page() == walk.whole()
