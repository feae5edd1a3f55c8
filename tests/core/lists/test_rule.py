"""What a rule says of a list, and what follows for a page."""

from typing import Any

import pytest

from shardgate.core.contracts import Page
from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.offset import Offset
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.lists.rule import ALL_ROWS, ListRule
from shardgate.core.order.order import Order
from shardgate.core.paging.parameters import ROWS_MAX
from shardgate.core.parts.whole import ListParts

KEYS = {"id": "text", "price": "number"}
RULE = ListRule(dialect=Offset(), keys=KEYS, default_order=("-price",))


def page(
    *order: tuple[str, bool], offset: int = 0, limit: int | None = 10, fields: tuple[str, ...] | None = None
) -> Page:
    return Page(offset, limit, order, fields)


def order_of(rule: ListRule, wanted: Page) -> Order:
    order = rule.order(wanted)
    assert isinstance(order, Order)
    return order


def test_an_order_ends_with_the_tie_breaker() -> None:
    assert order_of(RULE, page()).by == (("price", True), ("id", False))
    assert order_of(RULE, page(("price", False))).by == (("price", False), ("id", False))
    assert order_of(RULE, page(("id", True))).by == (("id", True),)


@pytest.mark.parametrize(
    ("rule", "order", "problem"),
    [
        (RULE, [("pricce", True)], "`order`: `pricce` is no sort key of this list; there are id, price"),
        (RULE, [("id", True), ("id", False)], "`order`: `id` is named twice; there are id, price"),
        (ListRule(dialect=Offset(order="sort"), keys=KEYS), [("", False)], "`sort`: `` is no sort key"),
        (ListRule(dialect=Offset(), keys={"price": "number"}), [], "`default_order`: `id` is no sort key"),
    ],
)
def test_an_order_that_cannot_be_is_named(rule: ListRule, order: list[tuple[str, bool]], problem: str) -> None:
    found = rule.order(page(*order))
    assert isinstance(found, str)
    assert problem in found


def test_the_properties_that_are_asked_for_besides_the_clients() -> None:
    asked = page(fields=("name",))
    assert RULE.added(asked, order_of(RULE, asked)) == ("price", "id")
    assert RULE.added(page(), order_of(RULE, page())) == ()


def test_pages_that_no_list_has_rows_for() -> None:
    assert RULE.is_empty(page(offset=5, limit=0))
    assert RULE.is_empty(page(offset=ROWS_MAX))
    assert not RULE.is_empty(page(limit=0))
    assert not RULE.is_empty(page(offset=5))


def test_a_list_with_copies_is_searched_whole() -> None:
    rule = ListRule(dialect=Offset(limit_default=20), keys=KEYS, dedupe=Dedupe(by="id"))
    assert rule.searched(page(offset=5)) == Page(0, ALL_ROWS, (), None)
    assert RULE.searched(page(offset=5)) == page(offset=5)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"dedupe": Dedupe(by="id", winner="highest")}, "`of` is for the winners"),
        ({"dedupe": Dedupe(by="name")}, "name must be among the keys"),
        ({"dedupe": Dedupe(by="id"), "parts": ListParts()}, "in parts, or in copies, not both"),
        ({"dialect": Offset(limit_max=5), "parts": ListParts()}, "without limit_max"),
        ({"keys": {"vendor": "text", "vendor.name": "text"}}, "is inside of it"),
        (
            {"dialect": Cursor(seal=Seal((b"s" * 32,), 60), limit_default=2), "dedupe": Dedupe(by="id")},
            "`dedupe` reads every list whole",
        ),
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ListRule(**{"dialect": Offset(), "keys": KEYS, **fields})
