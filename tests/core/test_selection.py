"""A page of a merged list is found by small blocks, exactly, however the rows are divided."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.selection import Block, ChangedError, Selection


def page_by_selection(shards: dict[str, list[Any]], offset: int, limit: int) -> tuple[list[Any], int, int]:
    """The page, the rounds it took and the rows it read."""
    selection = Selection(list(shards), offset, limit)
    rows = 0

    def read(blocks: Sequence[Block]) -> dict[Block, list[Any]]:
        nonlocal rows
        found = {block: shards[block.shard][block.start : block.start + block.count] for block in blocks}
        rows += sum(map(len, found.values()))
        return found

    while not selection.narrow_enough:
        selection.take(read(selection.blocks()))
    last = read(selection.page_blocks())
    skip = selection.skip(last)
    merged = sorted(key for keys in last.values() for key in keys)
    return merged[skip : skip + limit], selection.rounds + 1, rows


def divided(total: int, count: int, how: str) -> dict[str, list[int]]:
    chance = random.Random(total * 31 + count)
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
    whole = sorted(row for rows in shards.values() for row in rows)
    assert page_by_selection(shards, offset, limit)[0] == whole[offset : offset + limit]


@pytest.mark.parametrize("how", ["hash", "range", "skewed"])
@pytest.mark.parametrize("count", [2, 3, 8, 16])
@pytest.mark.parametrize("offset", [0, 100, 3000, 29_990, 32_990, 40_000])
def test_a_deep_page_takes_few_rounds_and_few_rows(how: str, count: int, offset: int) -> None:
    shards = divided(33_000, count, how)
    page, rounds, rows = page_by_selection(shards, offset, 20)
    assert page == list(range(33_000))[offset : offset + 20]
    assert rounds <= (5 if how == "hash" and offset < 32_000 else 17)
    if how == "hash" and count <= 8:
        assert rows <= 2000


def test_rows_that_change_between_rounds_are_noticed() -> None:
    shards = divided(20_000, 3, "hash")
    selection = Selection(list(shards), 10_000, 20)
    while not selection.narrow_enough:
        blocks = selection.blocks()
        selection.take({b: shards[b.shard][b.start : b.start + b.count] for b in blocks})
    shards = {name: rows[1:] for name, rows in shards.items()}
    last = {b: shards[b.shard][b.start : b.start + b.count] for b in selection.page_blocks()}
    with pytest.raises(ChangedError):
        selection.skip(last)
