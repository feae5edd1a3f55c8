"""Rows that break an order: the error says which row, counted from 0, and what was found."""

import tracemalloc

import pytest

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.order.order import total_order
from shardgate.core.order.ranking import Ranking
from shardgate.core.order.sort_key import KeyConfig, SortKey

BY_PRICE = total_order((("price", False),), {"price": "number", "id": "text"}, "id")
BY_TIME = total_order((("at", True),), {"at": "time", "id": "text"}, "id")


def test_rows_out_of_order_name_the_row_and_the_two_keys() -> None:
    with pytest.raises(OrderBrokenError) as caught:
        Ranking(BY_PRICE).add(b'[{"price":1,"id":"a"},{"price":9,"id":"b"},{"price":3,"id":"c"}]')
    assert caught.value.where == "row 2, counted from 0"
    assert caught.value.log == "`3, c` stands behind `9, b`"


def test_rows_behind_others_of_the_same_shard_are_counted_on() -> None:
    ranking = Ranking(BY_PRICE)
    ranking.add(b'[{"price":1,"id":"a"}]', before=100)
    with pytest.raises(OrderBrokenError) as caught:
        ranking.follow((5, "z"), before=100)
    assert caught.value.where == "row 100, counted from 0"
    assert caught.value.log == "`1, a` stands behind `5, z`"


@pytest.mark.parametrize(
    ("row", "log"),
    [
        (b'{"id":"b"}', 'Object missing required field `price` - at `$[1]`; found `{"id":"b"}`'),
        (b'{"price":"x","id":"b","more":1}', 'a value is no number; found `{"price":"x","id":"b"}`'),
        (b'{"price":2,"id":7}', "Expected `str`, got `int` - at `$[1].id`"),
        (b"7", "Expected `object`, got `int` - at `$[1]`; found `7`"),
    ],
)
def test_a_row_without_a_sort_key_shows_its_sort_keys(row: bytes, log: str) -> None:
    with pytest.raises(BrokenReplyError, match="lacks a sort key") as caught:
        Ranking(BY_PRICE).add(b'[{"price":1,"id":"a"},%b]' % row)
    assert caught.value.where == "row 1, counted from 0"
    assert log in caught.value.log


def test_a_bad_row_is_found_in_a_long_list_and_shown_where_it_is_not_long_itself() -> None:
    """Found: to show one of two million values, all were cut once more, which took 300 MB."""
    rows = [b'{"price":%d,"id":"a"}' % n for n in range(20_000)]
    for bad, log in ((b'{"price":true,"id":"b"}', '; found `{"price":true,"id":"b"}`'), (b"7", "$[15000]`; found `7`")):
        rows[15_000] = bad
        with pytest.raises(BrokenReplyError) as caught:
            Ranking(BY_PRICE).add(b"[%b]" % b",".join(rows))
        assert caught.value.where == "row 15000, counted from 0"
        assert caught.value.log.endswith(log)
    tracemalloc.start()
    with pytest.raises(BrokenReplyError) as caught:
        Ranking(BY_PRICE).add(b"[%b1]" % (b"1," * 500_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert caught.value.log.startswith("Expected `object`, got `int` - at `$[0]`; found `[1,1,1,")


def test_a_value_that_cannot_be_compared_is_shown() -> None:
    rows = b'[{"at":"2026-01-02T00:00:00Z","id":"a"},{"at":"yesterday","id":"b"}]'
    with pytest.raises(BrokenReplyError) as caught:
        Ranking(BY_TIME).add(rows, before=50)
    assert caught.value.where == "row 51, counted from 0"
    assert "`yesterday` is no RFC 3339 time" in caught.value.log


def test_mixed_directions_find_the_row_too() -> None:
    keys: dict[str, KeyConfig] = {"price": SortKey(type="number"), "id": "text"}
    order = total_order((("price", True), ("id", False)), keys, "id")
    with pytest.raises(OrderBrokenError) as caught:
        Ranking(order).add(b'[{"price":5,"id":"b"},{"price":5,"id":"a"}]')
    assert caught.value.where == "row 1, counted from 0"
