"""Rows with one value each that compares as the list is sorted."""

import pytest

from shardgate.core.errors import OrderBrokenError
from shardgate.core.json.array import cut
from shardgate.core.order.keyed_rows import by_key, key_of, keyed
from shardgate.core.order.order import total_order

ORDER = total_order((("price", True),), {"price": "number", "id": "text"}, "id")


def test_rows_of_several_shards_sort_by_their_keys() -> None:
    north = keyed(ORDER, cut(b'[{"id":"a","price":9},{"id":"c","price":2}]'), "north")
    south = keyed(ORDER, cut(b'[{"id":"b","price":5}]'), "south")
    rows = sorted([*north, *south], key=by_key)
    assert [(row.id, row.shard) for row in rows] == [("a", "north"), ("b", "south"), ("c", "north")]
    assert bytes(rows[1].raw) == b'{"id":"b","price":5}'


def test_the_key_of_one_row_compares_with_those_of_others() -> None:
    rows = keyed(ORDER, cut(b'[{"id":"a","price":9},{"id":"c","price":2}]'))
    assert rows[0].key < key_of(ORDER, b'{"id":"x","price":5}') < rows[1].key


def test_rows_in_another_order_are_an_error() -> None:
    with pytest.raises(OrderBrokenError):
        keyed(ORDER, cut(b'[{"id":"c","price":2},{"id":"a","price":9}]'))
