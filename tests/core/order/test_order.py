"""An order is total: it ends with the tie-breaker, and knows where it is."""

import pytest

from shardgate.core.order.order import UnsortableError, total_order
from shardgate.core.order.sort_key import KeyConfig, SortKey

KEYS: dict[str, KeyConfig] = {
    "id": "text",
    "price": "number",
    "city": SortKey(path="vendor.city", collation="case_insensitive"),
}


def test_an_order_without_the_tie_breaker_is_ended_by_it() -> None:
    order = total_order((("price", True),), KEYS, "id")
    assert order.by == (("price", True), ("id", False))
    assert order.tie == 1


def test_the_tie_breaker_may_stand_anywhere() -> None:
    order = total_order((("id", True), ("price", False)), KEYS, "id")
    assert order.by == (("id", True), ("price", False))
    assert order.tie == 0


def test_the_paths_and_properties_of_its_keys() -> None:
    order = total_order((("city", False),), KEYS, "id")
    assert order.paths == [("vendor", "city"), ("id",)]
    assert list(order.properties) == ["vendor", "id"]


def test_how_it_is_described() -> None:
    order = total_order((("price", True), ("city", False)), KEYS, "id")
    assert order.described() == "-price, city by case_insensitive, id"
    assert order.explained() == "price down, city up, id up"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(UnsortableError, match="`pricce` is no sort key"):
        total_order((("pricce", False),), KEYS, "id")
