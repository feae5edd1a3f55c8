"""Which row of a shard breaks an order, and how: for the log of an operator. It costs nothing while rows are right.

Rows are counted from 0. `before`: how many rows of the shard stand before those that were looked at.
"""

from collections.abc import Callable, Sequence
from typing import Any

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.array import cut, with_only
from shardgate.core.json.fault import row_in
from shardgate.core.order.order import Order


def unreadable(
    order: Order, body: bytes, error: Exception, before: int, read: Callable[[bytes], object]
) -> BrokenReplyError:
    """The error for rows whose sort keys cannot be read; `read` reads an array of rows, and raises for a bad one."""
    detail = "a shard's row lacks a sort key, or has it in another type"
    try:
        rows = [bytes(row) for row in cut(body).raw]
    except BrokenReplyError:
        return BrokenReplyError(detail, log=f"{error}; found `{excerpt(body)}`")
    n = row_in(error)
    if n is None:
        n = next((n for n, row in enumerate(rows) if _fails(read, row)), None)
    if n is None or n >= len(rows):
        return BrokenReplyError(detail, log=str(error))
    return BrokenReplyError(detail, where=_row(before + n), log=f"{error}; found `{_sort_keys(rows[n], order)}`")


def misplaced(order: Order, rows: Sequence[Sequence[Any]], keys: Sequence[Any], before: int) -> OrderBrokenError:
    """The error for rows of which one is less than the row before it; `keys`: the same rows, as values that compare."""
    n = next((n for n in range(1, len(keys)) if keys[n] < keys[n - 1]), 0)
    log = "rows stand in another order"
    if n:
        log = f"`{_values(rows[n])}` stands behind `{_values(rows[n - 1])}`"
    detail = f"a shard's rows are not in the order {order.described()} that the rule declares"
    return OrderBrokenError(detail, where=_row(before + n), log=log)


def _row(n: int) -> str:
    return f"row {n}, counted from 0"


def _fails(read: Callable[[bytes], object], row: bytes) -> bool:
    try:
        read(b"[%b]" % row)
    except (ValueError, RecursionError):
        return True
    return False


def _sort_keys(row: bytes, order: Order) -> str:
    """The members of the row that the order reads; the row itself where it is no object."""
    try:
        [raw] = cut(b"[%b]" % row).raw
        return excerpt(with_only(raw, order.paths))
    except BrokenReplyError:
        return excerpt(row)


def _values(row: Sequence[Any]) -> str:
    return excerpt(", ".join([str(value) for value in row]))
