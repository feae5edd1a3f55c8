"""The merge, called as the gateway calls it: with one reply of each shard."""

import pytest

from shardgate.extend import Reply
from shop_plugins.cheapest import Cheapest


def offer(body: bytes) -> Reply:
    return Reply(200, [(b"Content-Type", b"application/json")], body)


def test_the_lowest_price_wins() -> None:
    best = offer(b'{"price": 9, "shop": "b"}')
    assert Cheapest().combine([offer(b'{"price": 12.5, "shop": "a"}'), best]) is best


def test_a_reply_without_a_price_is_an_error_that_the_gateway_answers_with_502() -> None:
    with pytest.raises(LookupError):
        Cheapest().combine([offer(b"{}"), offer(b"{}")])
