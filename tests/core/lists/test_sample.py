"""Bounds and estimates of lists of which only some rows were seen."""

import pytest

from shardgate.core.lists.sample import ChangedError, Measure, Seen


def seen(*blocks: tuple[int, list[int]], hi: int = 1000) -> Seen:
    rows = Seen(hi)
    for start, keys in blocks:
        rows.add(start, len(keys), keys)
    return rows


def test_the_rank_of_another_shards_key_is_bounded_by_the_keys_around_it() -> None:
    rows = seen((10, [100, 101]), (50, [500]))
    assert (rows.rank_min(300), rows.rank_max(300)) == (12, 50)
    assert (rows.rank_min(50), rows.rank_max(50)) == (0, 10)
    assert (rows.rank_min(900), rows.rank_max(900)) == (51, None)


def test_a_block_with_fewer_rows_than_asked_for_tells_the_size() -> None:
    rows = Seen(1000)
    rows.add(10, 5, [100, 101])
    assert rows.size_max == 12
    assert rows.hi == 12


@pytest.mark.parametrize("later", [(11, [90]), (10, [99]), (12, [100]), (9, [100])])
def test_rows_that_do_not_rise_with_their_keys_have_changed(later: tuple[int, list[int]]) -> None:
    rows = seen((10, [100, 101]))
    with pytest.raises(ChangedError):
        rows.add(later[0], 1, later[1])


def test_the_nearest_row_that_was_seen() -> None:
    rows = seen((10, [100]), (50, [500]))
    assert [rows.nearest(place) for place in (0, 10, 20, 45)] == [10, 0, 10, 5]
    assert Seen(10).nearest(5) is None


def test_where_a_page_begins_is_estimated_by_the_keys_of_all_shards() -> None:
    """Two shards whose keys are even and odd numbers: half of the page's rows are on each."""
    shards = {"even": seen((40, list(range(80, 120, 2)))), "odd": seen((40, list(range(81, 121, 2))))}
    places = Measure(shards).places(100)
    assert sum(places.values()) == pytest.approx(100, abs=1)
    assert all(place == pytest.approx(50, abs=2) for place in places.values())
