"""The rows of one round, with the shard that each came from."""

import pytest

from shardgate.core.errors import OrderBrokenError
from shardgate.core.json.array import cut
from shardgate.core.lists.selection import Block
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import total_order

ORDER = total_order((("n", True),), {"n": "number", "id": "text"}, "id")
NORTH, SOUTH = Block("north", 10, 2), Block("south", 20, 2)


def test_the_rows_of_several_shards() -> None:
    tables = Tables(ORDER, [(NORTH, cut(b'[{"n":9,"id":"a"},{"n":3,"id":"c"}]')), (SOUTH, cut(b'[{"n":5,"id":"b"}]'))])
    assert [bytes(tables.raw[n])[-4:-2] for n in tables.ranking.sorted()] == [b'"a', b'"b', b'"c']
    assert tables.owners == ["north", "north", "south"]
    assert tables.starts() == {"north": 10, "south": 20}
    keys = tables.keys()
    assert (len(keys[NORTH]), len(keys[SOUTH])) == (2, 1)
    assert keys[NORTH][0] < keys[SOUTH][0] < keys[NORTH][1]


def test_a_row_out_of_order_is_counted_in_the_shards_list() -> None:
    with pytest.raises(OrderBrokenError) as caught:
        Tables(ORDER, [(NORTH, cut(b"[]")), (SOUTH, cut(b'[{"n":3,"id":"a"},{"n":9,"id":"b"}]'))])
    assert (caught.value.shard, caught.value.where) == ("south", "row 21, counted from 0")
