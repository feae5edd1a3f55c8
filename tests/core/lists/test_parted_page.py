"""The page cut out of the rows around it: parts out, whole rows in."""

import msgspec

from shardgate.core.contracts import Page
from shardgate.core.lists.parted_page import page_out_of, window_of
from shardgate.core.order.keyed_rows import KeyedRow


def row(name: str, key: float, shard: str = "") -> KeyedRow:
    return KeyedRow(name, shard, key, msgspec.Raw(b"{}"))


ROWS = [row("a", 1), row("P", 2, "north"), row("b", 3), row("c", 4), row("P", 5, "south"), row("d", 6)]
PARTS = [each for each in ROWS if each.id == "P"]
WHOLE = [row("P", 4.5)]


def page(offset: int, limit: int | None) -> tuple[list[str], int | None]:
    """The ids of a page of a, b, c, P, d, and the size of the list."""
    wanted = Page(offset, limit, (), None)
    start, count = window_of(wanted, len(WHOLE), len(PARTS))
    window = Page(start, count, (), None)
    rows = ROWS[start : None if count is None else start + count]
    found = page_out_of(wanted, window, rows, PARTS, WHOLE, len(ROWS))
    return [each.id for each in found.rows], found.total


def test_every_page_is_that_of_the_whole_rows() -> None:
    whole = ["a", "b", "c", "P", "d"]
    for offset in range(7):
        for limit in (1, 2, 3, 10, None):
            end = None if limit is None else offset + limit
            assert page(offset, limit) == (whole[offset:end], 5), (offset, limit)


def test_the_window_reaches_far_enough_to_both_sides() -> None:
    assert window_of(Page(10, 5, (), None), 2, 6) == (8, 13)
    assert window_of(Page(1, 5, (), None), 2, 6) == (0, 12)
    assert window_of(Page(0, None, (), None), 2, 6) == (0, None)
