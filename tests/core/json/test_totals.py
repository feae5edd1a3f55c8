"""The members around the rows of a report, of several shards."""

from typing import Any

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


def test_l19_every_member_of_an_object_is_merged_wherever_it_stands() -> None:
    # Found: a count by name, `{"Bern": 3, "Ulm": 2}`, could not be said: 502.
    bodies = [
        b'{"n": 3, "by": {"city": {"Bern": 2, "Ulm": 1}, "tag": {"b": "1.50"}}}',
        b'{"n": 2, "by": {"city": {"Chur": 2}, "tag": {"a": "2.25", "b": "1.25"}}}',
    ]
    documents = [JsonObject(body) for body in bodies]
    merged = Totals(sum=("n", "by.*.*")).merged(documents, {})
    assert merged == b'{"n": 5, "by": {"city": {"Bern": 2, "Chur": 2, "Ulm": 1}, "tag": {"a": "2.25", "b": "2.75"}}}'
    counts = [JsonObject(body) for body in (b'{"z":1,"a":{"n":1}}', b'{"q":1}')]
    with pytest.raises(ValueError, match="no number"):
        Totals(sum=("*",)).merged(counts, {})
    nested = [JsonObject(body) for body in (b'{"b":{"n":1,"m":4},"a":{"n":1,"m":2}}', b'{"a":{"n":2,"m":9}}')]
    assert Totals(sum=("*.n",), max=("*.m",)).merged(nested, {}) == b'{"b":{"n":1,"m":4},"a":{"n":3,"m":9}}'


def test_l19_numbers_in_quotes_add_up_in_quotes_and_not_beside_others() -> None:
    documents = [JsonObject(body) for body in (b'{"n":"0.10"}', b'{"n":"0.20"}', b'{"n":null}')]
    assert Totals(sum=("n",)).merged(documents, {}) == b'{"n":"0.30"}'
    with pytest.raises(ValueError, match="no number"):
        Totals(sum=("n",)).merged([JsonObject(b'{"n":"1"}'), JsonObject(b'{"n":1}')], {})


@pytest.mark.parametrize(
    "said", [{"sum": ("*", "n")}, {"first_of": ("a.*",)}, {"sum": ("n.*",), "average": {"n.*": Average("n.*", "n.*")}}]
)
def test_what_cannot_be_said_of_every_member(said: Any) -> None:
    with pytest.raises(ValueError, match=r"`\*`"):
        Totals(**said)
