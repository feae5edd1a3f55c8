"""Which row of a shard breaks an order, and how: for the log of an operator. It costs nothing while rows are right.

Rows are counted from 0. `before`: how many rows of the shard stand before those that were looked at.
"""

from collections.abc import Callable, Sequence
from typing import Any

from shardgate.core.errors import BrokenReplyError, OrderBrokenError, UpstreamError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.array import cut, with_only
from shardgate.core.json.array_stream import LONG_BYTES, RowStream
from shardgate.core.json.fault import row_in
from shardgate.core.order.order import Order


def unreadable(
    order: Order, body: bytes, error: Exception, before: int, read: Callable[[bytes], object]
) -> BrokenReplyError:
    """The error for rows whose sort keys cannot be read; `read` reads an array of rows, and raises for a bad one."""
    detail = "a shard's row lacks a sort key, or has it in another type"
    try:
        found = _bad_row(body, row_in(error), read)
    except UpstreamError:
        return BrokenReplyError(detail, log=f"{error}; found `{excerpt(body)}`")
    if found is None:
        return BrokenReplyError(detail, log=str(error))
    n, row = found
    return BrokenReplyError(detail, where=_row(before + n), log=f"{error}; found `{_sort_keys(row, order)}`")


def misplaced(order: Order, rows: Sequence[Sequence[Any]], keys: Sequence[Any], before: int) -> OrderBrokenError:
    """The error for rows of which one is less than the row before it; `keys`: the same rows, as values that compare."""
    n = next((n for n in range(1, len(keys)) if keys[n] < keys[n - 1]), 0)
    log = "rows stand in another order"
    if n:
        log = f"`{_values(rows[n])}` stands behind `{_values(rows[n - 1])}`"
    detail = f"a shard's rows are not in the order {order.described()} that the rule declares"
    return OrderBrokenError(detail, where=_row(before + n), log=log)


def _bad_row(body: bytes, n: int | None, read: Callable[[bytes], object]) -> tuple[int, bytes] | None:
    """The row of this number, or where it is None the first bad one; None where there is none.

    Rows are cut some at a time: all of a large list, once more, could take hundreds of megabytes. Raises
    BrokenReplyError; ReplyTooLargeError where rows are so long that nobody would read them in a log.
    """
    stream, before = RowStream(LONG_BYTES), 0
    stream.feed(body)
    stream.end()
    while (rows := stream.take()) is not None:
        count = len(rows.raw)
        if n is None and _fails(read, rows.body):
            n = before + next((n for n, row in enumerate(rows.raw) if _fails(read, b"[%b]" % bytes(row))), count)
        if n is not None and before <= n < before + count:
            return n, bytes(rows.raw[n - before])
        before += count
    return None


def _row(n: int) -> str:
    return f"row {n}, counted from 0"


def _fails(read: Callable[[bytes], object], rows: bytes) -> bool:
    try:
        read(rows)
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
