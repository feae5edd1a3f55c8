"""The parts of an entity become the whole, byte for byte what one instance would have written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.parts.whole import Parts

ORDER = Parts(
    sum=("price",),
    min=("made",),
    max=("changed",),
    shared=("vendor",),
    lists={"items": ("day", "date")},
    first_of={"status": ("open", "paid")},
)
ITEMS = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 9**20), st.integers(0, 2)),
    min_size=1,
    max_size=8,
    unique_by=lambda i: i[0],
)


def written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def order(items: list[tuple[int, int, int]], owners: set[int]) -> bytes:
    """What an instance that holds these owners' items shows."""
    mine = sorted(item for item in items if item[2] in owners)
    vendors = {owner for _, _, owner in mine}
    return written(
        {
            "id": "o",
            "vendor": f"v{vendors.pop()}" if len(vendors) == 1 else None,
            "price": sum(price for _, price, _ in mine),
            "made": f"2026-01-{min(day for day, _, _ in mine):02}",
            "changed": f"2026-02-{max(day for day, _, _ in mine):02}",
            "status": "open" if any(price % 2 for _, price, _ in mine) else "paid",
            "items": [{"day": f"d{day}", "date": f"x{day}", "price": price} for day, price, _ in mine],
            "note": "é, 1.50",
        }
    )


@given(ITEMS)
def test_the_parts_of_an_order_are_the_order(items: list[tuple[int, int, int]]) -> None:
    owners = {owner for _, _, owner in items}
    parts = [order(items, {owner}) for owner in sorted(owners)]
    assert ORDER.whole(parts) == order(items, owners)
    assert ORDER.whole(parts[::-1]) == order(items, owners)


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        (["0.10", "0.2"], "0.30"),
        (["12345678901234567890", "1"], "12345678901234567891"),
        (["null", "3"], "3"),
        (["-0.5", "0.5"], "0.0"),
    ],
)
def test_numbers_add_up_as_they_are_written(values: list[str], whole: str) -> None:
    parts = [b'{"id":1, "price": %b}' % value.encode() for value in values]
    assert ORDER.whole(parts) == b'{"id":1, "price": %b}' % whole.encode()


def test_one_part_is_the_whole_as_it_came() -> None:
    assert ORDER.whole([b"anything"]) == b"anything"


@pytest.mark.parametrize("parts", [[b'{"price":1}', b"{}"], [b'{"price":1}', b'{"price":"1"}'], [b"[]", b"[]"]])
def test_what_is_no_part_is_never_put_together(parts: list[bytes]) -> None:
    with pytest.raises((ValueError, BrokenReplyError)):
        ORDER.whole(parts)
