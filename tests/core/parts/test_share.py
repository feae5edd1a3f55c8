"""A number that is shared among parts."""

import json
from typing import Any

import pytest

from shardgate.core.errors import AmountMismatchError, BrokenReplyError
from shardgate.core.json.object import JsonObject
from shardgate.core.parts.share import Share, shares

RULE = Share(member="amount", of="price", less="paid", unless=("voucher",))


def shared(body: dict[str, Any] | None, *parts: tuple[int, int]) -> Any:
    given = {f"s{n}": json.dumps({"price": price, "paid": paid}).encode() for n, (price, paid) in enumerate(parts)}
    found = shares(None if body is None else JsonObject(json.dumps(body).encode()), given, RULE)
    return found if isinstance(found, str) else {shard: json.loads(body) for shard, body in found.items()}


def test_each_part_gets_what_it_lacks_and_one_that_lacks_nothing_gets_nothing() -> None:
    found = shared({"amount": 90, "by": "card"}, (60, 0), (40, 10), (5, 5))
    assert found == {"s0": {"amount": 60, "by": "card"}, "s1": {"amount": 30, "by": "card"}}


@pytest.mark.parametrize("body", [None, {}, {"amount": None}, {"amount": "90"}, {"amount": 0}, {"amount": -1}])
def test_a_body_without_a_number_is_refused_by_any_part(body: dict[str, Any] | None) -> None:
    assert shared(body, (60, 0), (40, 10)) == "s0"


def test_too_much_is_refused_by_the_part_that_lacks_least() -> None:
    assert shared({"amount": 100}, (60, 0), (40, 10)) == "s1"
    assert shared({"amount": 90, "voucher": "x"}, (60, 0), (40, 10)) == "s1"


def test_too_little_is_no_share_and_no_part_is_sure_to_refuse_it() -> None:
    with pytest.raises(AmountMismatchError) as caught:
        shared({"amount": 20}, (60, 0), (40, 10))
    assert caught.value.about == {"member": "amount"}


def test_a_part_that_does_not_say_what_it_lacks_is_at_fault() -> None:
    body = JsonObject(b'{"amount":1}')
    with pytest.raises(BrokenReplyError) as caught:
        shares(body, {"north": b'{"price":1,"paid":0}', "south": b'{"price":1}'}, RULE)
    assert (caught.value.shard, caught.value.where) == ("south", "member `paid`")
