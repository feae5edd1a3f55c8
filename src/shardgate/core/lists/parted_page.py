"""The page of a list with rows in parts, cut out of the rows around it.

    a  P1  b  c  P2  d     the shards' rows, merged: a window in which no row of the page can be missed
    a  b  c  P  d          without the parts, with the whole row; the page is cut out of this

Holds: the page is exact at any depth, if every filter accepts a part only where it accepts the whole row, and accepts
the whole row where it accepts any part.
Never: asks a shard.
"""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from shardgate.core.contracts import Page
from shardgate.core.order.keyed_rows import KeyedRow, by_key


class PartedPage(msgspec.Struct, frozen=True):
    """The rows of a page, and the size of the whole list."""

    rows: Sequence[KeyedRow]
    total: int | None
    """None: not stated."""


def window_of(page: Page, wholes: int, parts: int) -> tuple[int, int | None]:
    """The rows (first, how many) of the shards' merged list in which no row of the page can be missed.

    `wholes`: how many rows are put in; `parts`: how many rows are taken out.
    """
    start = max(0, page.offset - wholes)
    return start, None if page.limit is None else page.limit + page.offset - start + parts


def page_out_of(
    page: Page,
    window: Page,
    rows: Sequence[KeyedRow],
    parts: Sequence[KeyedRow],
    wholes: Sequence[KeyedRow],
    total: int | None,
) -> PartedPage:
    """The page, out of the rows of the window.

    `parts`: all rows of the shards' lists that are parts; `wholes`: the rows that they become, in order; `total`: the
    size of the shards' lists together, None where they do not state it.
    """
    ids = {part.id for part in parts}
    kept = [row for row in rows if row.id not in ids]
    count, skip = len(wholes), page.offset
    if window.offset:
        if not rows:
            kept, wholes = [], []  # all rows are before the page
        else:
            wholes, skip = _behind(page, window, rows, parts, wholes)
    if window.limit is not None and len(rows) == window.limit:
        wholes = wholes[: bisect_left(wholes, rows[-1].key, key=by_key)]  # whole rows behind it are of a later page
    listed = sorted([*kept, *wholes], key=by_key)
    end = None if page.limit is None else skip + page.limit
    return PartedPage(listed[skip:end], None if total is None else total + count - len(parts))


def _behind(
    page: Page, window: Page, rows: Sequence[KeyedRow], parts: Sequence[KeyedRow], wholes: Sequence[KeyedRow]
) -> tuple[Sequence[KeyedRow], int]:
    """The whole rows that are not before the window, and where the page begins among the rows that are not."""
    first = rows[0].key
    equal = sum(row.key == first for row in parts) - sum(row.key == first for row in rows if row.id == rows[0].id)
    parts_before = sum(row.key < first for row in parts) + max(0, equal)
    before = bisect_left(wholes, first, key=by_key)
    return wholes[before:], page.offset - (window.offset - parts_before) - before
