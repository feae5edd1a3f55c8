"""Sort keys are read as they are written, and nothing else of a row is."""

from decimal import Decimal

import pytest

from shardgate.core.order.key_reader import KeyReader
from shardgate.core.order.sort_key import SortKey


def test_the_keys_of_each_row_in_the_order_of_the_keys() -> None:
    reader = KeyReader([("price", SortKey(type="number")), ("id", SortKey())])
    rows = reader.read(b'[{"id":"a","price":1.50,"x":[1]},{"price":2,"id":"b"}]')
    assert rows == [(Decimal("1.50"), "a"), (2, "b")]


def test_a_value_deeper_in_the_row() -> None:
    reader = KeyReader([("city", SortKey(path="vendor.city", nulls="last")), ("id", SortKey())])
    rows = reader.read(
        b'[{"id":"a","vendor":{"city":"Porto"}},{"id":"b","vendor":null},{"id":"c","vendor":{"city":null}}]'
    )
    assert rows == [("Porto", "a"), (None, "b"), (None, "c")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b'{"price":true}', "a value is no number"),
        (b'{"price":"1"}', "a value is no number"),
        (b'{"price":null}', "a value is no number"),
        (b"{}", "missing required field `price`"),
        (b'{"price":1e99999999999999999999}', "exponent beyond all bounds"),
    ],
)
def test_a_value_of_another_type_is_an_error(row: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        KeyReader([("price", SortKey(type="number"))]).read(b"[%b]" % row)


def test_half_a_surrogate_pair_cannot_be_compared() -> None:
    reader = KeyReader([("id", SortKey())])
    assert reader.read(rb'[{"id":"a","name":"\ud83d"}]') == [("a",)]
    with pytest.raises(ValueError, match="half a surrogate pair"):
        reader.read(rb'[{"id":"\ud83d"}]')
