"""Which rows are read for a page: all before a shallow one, small blocks for a deep one."""

import json
from collections.abc import Sequence

import pytest

from shardgate.core.contracts import Listing, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import Rows
from shardgate.core.lists.page_search import PLAIN_ROWS_MAX, PageSearch, is_deep
from shardgate.core.lists.selection import Block
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import total_order

ORDER = total_order((), {"id": "number"}, "id")
SHARDS = ("even", "odd")


def page(offset: int, limit: int | None) -> Page:
    return Page(offset, limit, (), None)


def ranked(blocks: Sequence[tuple[Block, Rows]]) -> Tables:
    return Tables(ORDER, blocks)


def served(block: Block) -> Listing:
    """Rows of 4,000 even or odd numbers."""
    ids = list(range(SHARDS.index(block.shard), 8000, 2))
    end = None if block.count is None else block.start + block.count
    return Listing(json.dumps([{"id": each} for each in ids[block.start : end]]).encode())


def found(search: PageSearch, limit: int) -> tuple[list[int], int, int]:
    """The page's ids, and how many rounds and rows it took."""
    rounds = rows = 0
    while True:
        rounds += 1
        for block in search.wanted():
            listing = served(block)
            rows += len(json.loads(listing.rows))
            search.take(block.shard, listing)
        outcome = search.advance(ranked)
        if outcome is not None:
            tables, skip = outcome
            chosen = tables.ranking.sorted()[skip : skip + limit]
            return [json.loads(bytes(tables.raw[n]))["id"] for n in chosen], rounds, rows


def test_a_shallow_page_is_read_in_one_round_with_all_rows_before_it() -> None:
    search = PageSearch(Offset(), page(40, 10), SHARDS)
    assert search.plain
    assert [(block.start, block.count) for block in search.wanted()] == [(0, 50), (0, 50)]
    assert found(search, 10) == (list(range(40, 50)), 1, 100)


def test_a_deep_page_is_found_by_small_blocks() -> None:
    search = PageSearch(Offset(), page(5000, 10), SHARDS)
    assert search.narrowing
    ids, rounds, rows = found(search, 10)
    assert ids == list(range(5000, 5010))
    assert rounds <= 4
    assert rows < 1000


def test_a_right_guess_finds_a_deep_page_in_one_round() -> None:
    search = PageSearch(Offset(), page(5000, 10), SHARDS, {"even": 2500, "odd": 2500})
    ids, rounds, rows = found(search, 10)
    assert (ids, rounds) == (list(range(5000, 5010)), 1)
    assert rows < 50


@pytest.mark.parametrize("guess", [{"even": 2500}, {"even": 2500, "odd": 2400}, {"even": 5000, "other": 0}])
def test_a_guess_of_other_shards_or_another_offset_is_not_used(guess: dict[str, int]) -> None:
    search = PageSearch(Offset(), page(5000, 10), SHARDS, guess)
    assert search.narrowing


def test_which_pages_are_deep() -> None:
    assert not is_deep(page(PLAIN_ROWS_MAX, 10))
    assert is_deep(page(PLAIN_ROWS_MAX + 1, 10))
    assert not is_deep(page(5000, 5000))
    assert not is_deep(page(5000, None))


def test_a_list_that_keeps_changing_is_read_in_one_round_where_its_pages_allow_it() -> None:
    search = PageSearch(Offset(), page(5000, 10), SHARDS)
    for _ in range(3):
        search.begin_again()
    assert search.plain
    search = PageSearch(Offset(limit_max=100), page(5000, 10), SHARDS)
    search.begin_again()
    search.begin_again()
    with pytest.raises(BrokenReplyError, match="changes faster") as caught:
        search.begin_again()
    assert caught.value.log == "rows moved in 3 searches for offset 5000; one reply gives 100 rows"


def test_a_page_between_two_places_that_are_known_takes_one_round() -> None:
    near = ((4900, {"even": 2450, "odd": 2450}), (5200, {"even": 2600, "odd": 2600}))
    search = PageSearch(Offset(), page(5000, 10), SHARDS, near=near)
    ids, rounds, rows = found(search, 10)
    assert (ids, rounds) == (list(range(5000, 5010)), 1)
    assert rows <= 2 * 50
    assert not search.was_wrong


def test_places_that_are_wrong_are_noticed() -> None:
    near = ((4900, {"even": 4000, "odd": 900}), (5200, {"even": 4200, "odd": 1000}))
    search = PageSearch(Offset(), page(5000, 10), SHARDS, near=near)
    assert found(search, 10)[0] == list(range(5000, 5010))
    assert search.was_wrong


def test_the_two_rows_of_a_shard_are_known_before_the_first_is_there() -> None:
    search = PageSearch(Offset(), page(5000, 10), SHARDS)
    first, second = search.wanted(), search.ahead()
    assert {block.count for block in [*first, *second]} == {1}
    for block in first:
        search.take(block.shard, served(block))
    assert search.advance(ranked) is None
    assert (search.wanted(), search.ahead()) == (second, ())


@pytest.mark.parametrize(("offset", "limit"), [(0, 40), (40, 40), (0, 1), (60, 20)])
def test_of_a_first_page_each_shard_is_asked_for_the_rows_that_it_probably_has(offset: int, limit: int) -> None:
    search = PageSearch(Offset(), page(offset, limit), SHARDS, likely=True)
    ids, rounds, rows = found(search, limit)
    assert (ids, rounds) == (list(range(offset, offset + limit)), 1)
    assert rows < 2 * (offset + limit) or limit == 1


def test_a_shard_that_has_more_of_a_first_page_than_likely_is_asked_again() -> None:
    search = PageSearch(Offset(), page(0, 40), ("even", "empty"), likely=True)
    rounds = 0
    while True:
        rounds += 1
        for block in search.wanted():
            search.take(block.shard, Listing(b"[]") if block.shard == "empty" else served(block))
        if (outcome := search.advance(ranked)) is not None:
            break
    tables, skip = outcome
    chosen = tables.ranking.sorted()[skip : skip + 40]
    assert [json.loads(bytes(tables.raw[n]))["id"] for n in chosen] == list(range(0, 80, 2))
    assert rounds == 2


@pytest.mark.parametrize(("offset", "limit"), [(10**400, 5), (10**400, 10**399), (10**16, 10**15)])
def test_a_page_beyond_all_lists_is_searched_for_by_numbers_that_can_be_reckoned_with(offset: int, limit: int) -> None:
    near = ((2000, {"a": 1000, "b": 1000}), None)
    for known in (near, (None, None)):
        search = PageSearch(Offset(), Page(offset, limit, (), None), ["a", "b"], near=known)
        assert all(block.start < 10**16 for block in search.wanted())
