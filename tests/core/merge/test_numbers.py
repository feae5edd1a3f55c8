"""Numbers of an object, made again from those of the shards."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.number import Average
from shardgate.core.merge.numbers import Numbers
from tests.core.merge.merging import merged, ok, text

RULE = Numbers(
    sum=("orders", "money.total"),
    min=("money.least", "since"),
    max=("money.most",),
    average={"mean": Average(of="money.total", over="orders")},
)


def stats(orders: list[int]) -> str:
    """What an application says of these orders."""
    least, most = (min(orders), max(orders)) if orders else (None, None)
    money = {"total": sum(orders), "least": least, "most": most, "currency": "EUR"}
    mean = round(sum(orders) / len(orders), 2) if orders else 0.0
    since = f"2026-01-{least:02d}" if least is not None else None
    return json.dumps({"orders": len(orders), "money": money, "mean": mean, "since": since}, indent=1)


ORDERS = st.lists(st.integers(1, 31), max_size=5)


@given(st.lists(ORDERS, min_size=1, max_size=4))
def test_shards_together_say_what_a_monolith_says(shards: list[list[int]]) -> None:
    assert text(RULE, *map(stats, shards)) == stats([order for shard in shards for order in shard])


def test_sums_are_exact_and_every_other_byte_is_the_first_shards() -> None:
    rule = Numbers(sum=("a",), max=("b",))
    assert text(rule, '{ "a": 0.1, "x" : 1e5, "b":1.50}\n', '{ "a": 0.20, "x" : 1e5, "b":1.5}\n') == (
        '{ "a": 0.30, "x" : 1e5, "b":1.50}\n'
    )
    assert text(rule, '{"a":9007199254740993,"b":1}', '{"a":1e30,"b":1e1}') == (
        '{"a":1000000000000009007199254740993,"b":1e1}'
    )
    assert text(rule, '{"a":null,"b":null}', '{"a":null,"b":null}') == '{"a":null,"b":null}'


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        '{"a":1}',
        '{"a":"1","b":1}',
        '{"a":true,"b":1}',
        '{"a":01,"b":1}',
        '{"a":[1],"b":1}',
        '{"a":1,"b":"x"}',
        '{"a":1,"b":1,"unit":"EUR"}',
        '{"a":1e5000,"b":1}',
        '{"a":1,"a":1,"b":1}',
        '{"a":1,"b":1e99999999999999999999}',
    ],
)
def test_what_is_not_as_the_rule_says_is_broken(broken: str) -> None:
    with pytest.raises(BrokenReplyError):
        merged(Numbers(sum=("a",), max=("b",)), '{"a":1,"b":1}', broken)


def test_one_refusal_stands_for_all() -> None:
    refusal = Reply(403, [], b"no")
    assert merged(RULE, ok("{}"), refusal, refusal) is refusal


def test_an_average_needs_its_sums() -> None:
    with pytest.raises(ValueError, match="needs 'total' and 'n' under `sum`"):
        Numbers(sum=("n",), average={"mean": Average(of="total", over="n")})
