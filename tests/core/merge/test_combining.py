"""Merges of one round: what they say of themselves, and of replies that they cannot combine."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.http import Reply
from shardgate.core.merge.combining import Combining
from shardgate.core.merge.count import Count
from shardgate.core.merge.deep import Deep
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.first import First
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.numbers import Numbers
from shardgate.core.merge.union import Union
from shardgate.core.parts.whole import Parts
from tests.core.merge.merging import merged, text


def test_every_merge_says_what_it_does_in_one_line() -> None:
    rules = [Count(), Count(member="n", header="X-N"), Union(items="tags"), First(), Deep()]
    said = [rule.describe() for rule in rules]
    assert all(line and "\n" not in line for line in said)
    assert all(one != two for one, two in pairwise(said))


class Cheapest(Combining, frozen=True):
    """The reply with the least price."""

    def combine(self, replies: Sequence[Reply]) -> Reply:
        return min(replies, key=lambda reply: msgspec.json.decode(reply.body)["price"])

    def describe(self) -> str:
        return "the least price"


def test_a_merge_of_your_own_needs_combine_and_describe_alone() -> None:
    assert text(Cheapest(), '{"price":3}', '{"price":2}') == '{"price":2}'


@pytest.mark.parametrize(
    ("body", "log"),
    [
        ('{"cost":3}', "KeyError: 'price'"),
        ("7", "TypeError: 'int' object is not subscriptable"),
        ("{", "Input data was truncated"),
    ],
)
def test_a_reply_that_cannot_be_combined_is_that_shards_and_says_why(body: str, log: str) -> None:
    with pytest.raises(BrokenReplyError, match="not what its rule says") as caught:
        merged(Cheapest(), '{"price":2}', body)
    assert caught.value.log == log
    assert caught.value.shard == "s1"


@pytest.mark.parametrize(
    ("rule", "bodies", "log"),
    [
        (Count(), ["1", "one"], "`one` is no number"),
        (Count(header="X-Count"), ["a", "b"], "the bodies differ, and the rule names no member to add"),
        (Deep(), ['{"a":{"b":1}}', '{"a":{"b":2}}'], "the member a.b is `1` on one shard, and `2` on another"),
        (Deep(), ['{"a":1}', "[]"], "a shard's reply is no object: `[]`"),
        (
            Numbers(sum=("n",)),
            ['{"n":1,"currency":"EUR"}', '{"n":2,"currency":"USD"}'],
            'the same on every shard: `{"n":0,"currency":"EUR"}` on one shard, `{"n":0,"currency":"USD"}` on another',
        ),
        (Groups(key="city"), ['[{"town":"Porto"}]', "[]"], "a row lacks city; it has town"),
        (Groups(key="city", sum=("n",)), ['[{"city":"Porto"}]', "[]"], "a row lacks n; it has city"),
        (
            Groups(key="city"),
            ['[{"city":"Porto","x":1}]', '[{"city":"Porto","x":2}]'],
            "x is `1` on one shard, and `2` on another",
        ),
        (Groups(key="city"), ['[{"city":"Porto","x":1}]', '[{"city":"Porto"}]'], "not all rows of one key have x"),
        (Entity(parts=Parts(sum=("n",))), ['{"n":1}', '{"id":7}'], "1 of 2 parts have 'n', the others do not"),
    ],
)
def test_replies_that_do_not_fit_say_what_was_found(rule: Combining, bodies: list[str], log: str) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        merged(rule, *bodies)
    assert log in caught.value.log


def test_values_out_of_order_name_the_value() -> None:
    with pytest.raises(OrderBrokenError) as caught:
        merged(Union(order="text"), '["a","c","b"]', "[]")
    assert caught.value.where == "value 2, counted from 0"
    assert caught.value.log == '`"b"` stands behind `"c"`'
