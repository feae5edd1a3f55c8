"""Rows of one shard, each with its sort keys as one value that compares.

Holds: rows that are not in the order, or lack a sort key, are an error.
"""

from typing import Any

import msgspec

from shardgate.core.json.array import Rows
from shardgate.core.order.order import Order
from shardgate.core.order.ranking import Ranking
from shardgate.core.topology import ShardId


class KeyedRow(msgspec.Struct, frozen=True, gc=False):
    """A row and where it stands."""

    id: str
    """The value of the tie-breaker, as text; empty where it is hidden."""
    shard: ShardId
    key: Any
    """All sort keys, as one value that compares in the order of the list."""
    raw: msgspec.Raw


def keyed(order: Order, rows: Rows, shard: ShardId = "") -> list[KeyedRow]:
    """The rows with their keys. Raises BrokenReplyError, OrderBrokenError."""
    ranking = Ranking(order)
    count = ranking.add(rows.body)
    keys = ranking.comparable(0, count)
    tie = order.tie
    return [
        KeyedRow("" if tie is None else str(values[tie]), shard, key, raw)
        for values, key, raw in zip(ranking.values, keys, rows.raw, strict=True)
    ]


def key_of(order: Order, row: bytes) -> Any:
    """The key of one row. Raises BrokenReplyError."""
    ranking = Ranking(order)
    ranking.add(b"[%b]" % row)
    return ranking.comparable(0, 1)[0]


def by_key(row: KeyedRow) -> Any:
    """What rows are sorted by: for `sorted` and `bisect`."""
    return row.key
