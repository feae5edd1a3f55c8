"""The members around the rows of a report, of several shards."""

import pytest

from shardgate.core.json.number import Average
from shardgate.core.json.object import JsonObject
from shardgate.core.json.totals import Totals

RULE = Totals(
    sum=("orders", "money.paid"),
    max=("latest",),
    average={"mean": Average(of="money.paid", over="orders")},
    first_of=("by",),
)


def merged(*texts: str) -> str:
    return RULE.merged([JsonObject(text.encode()) for text in texts], {"rows": b"[7]"}).decode()


def test_what_is_named_is_merged_and_the_rest_is_the_first_shards() -> None:
    one = '{"by": "n", "rows": [], "orders": 2, "money": {"paid": 10, "in": "EUR"}, "mean": 5.0, "latest": "a"}'
    two = '{"by": "s", "rows": [1], "orders": 3, "money": {"paid": 5, "in": "EUR"}, "mean": 1.67, "latest": "b"}'
    assert merged(one, two) == (
        '{"by": "n", "rows": [7], "orders": 5, "money": {"paid": 15, "in": "EUR"}, "mean": 3.0, "latest": "b"}'
    )


def test_what_is_not_named_must_be_the_same() -> None:
    one = '{"orders": 2, "money": {"paid": 10}, "mean": 5, "latest": null, "x": 1}'
    with pytest.raises(ValueError, match="is not the same on every shard"):
        merged(one, one.replace('"x": 1', '"x": 2'))


def test_an_average_needs_its_sums() -> None:
    with pytest.raises(ValueError, match="needs 'a' and 'b' under `sum`"):
        Totals(sum=("a",), average={"c": Average(of="a", over="b")})
