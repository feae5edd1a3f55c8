"""Which priority class a request is of."""

from typing import Any

import pytest

from shardgate.core.clients.classes import Classes, ClassMatch, PriorityClass
from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser

ORDERS, LIST = 1, 2
OPERATIONS = {ORDERS: "POST /orders", LIST: "GET /orders"}


def request(*lines: str) -> Request:
    return RequestHeadParser().parse("\r\n".join(["GET /orders HTTP/1.1", "Host: a", *lines, ""]).encode())


def names(classes: Classes, *lines: str, route: int = LIST, claims: Any = None, is_proxied: bool = False) -> str:
    return classes.names[classes.rank_of(request(*lines), route, claims, is_proxied=is_proxied)]


def of(**match: Any) -> Classes:
    first = PriorityClass("first", (ClassMatch(**match),))
    return Classes([first, PriorityClass("others")], OPERATIONS)


def test_a_claim_of_a_verified_token() -> None:
    classes = of(claims=(("tier", frozenset({"gold", "7"})),))
    assert names(classes) == "others"
    assert names(classes, "Authorization: Bearer tier=gold") == "others"
    assert names(classes, claims={"tier": "gold"}) == "first"
    assert names(classes, claims={"tier": ["silver", "gold"]}) == "first"
    assert names(classes, claims={"tier": 7}) == "first"
    assert names(classes, claims={"tier": "silver"}) == "others"


TIER = (("x-tier", frozenset({"gold"})),)


@pytest.mark.parametrize(
    ("lines", "is_proxied", "said"),
    [
        (["X-Tier: gold"], True, "first"),
        (["X-Tier: gold"], False, "others"),
        (["x-tIER: gold"], True, "first"),
        (["X-Tier: silver"], True, "others"),
        (["X-Tier: Gold"], True, "others"),
        (["X-Tier: gold", "X-Tier: gold"], True, "others"),
        (["X-Tier: silver", "X-Tier: gold"], True, "others"),
        (["X-Tier: gold, silver"], True, "others"),
        (["X_Tier: gold"], True, "others"),
        ([], True, "others"),
    ],
)
def test_a_header_counts_only_where_a_trusted_proxy_has_sent_it_once(
    lines: list[str], is_proxied: bool, said: str
) -> None:
    assert names(of(headers=TIER), *lines, is_proxied=is_proxied) == said


def test_a_header_of_anyone_counts_where_the_operator_says_so() -> None:
    assert names(of(headers=TIER, from_anyone=True), "X-Tier: gold") == "first"


def test_an_operation_and_all_that_a_match_says_must_fit() -> None:
    classes = of(operations=frozenset({"POST /orders"}), headers=TIER)
    assert names(classes, "X-Tier: gold", route=ORDERS, is_proxied=True) == "first"
    assert names(classes, "X-Tier: gold", route=LIST, is_proxied=True) == "others"
    assert names(classes, route=ORDERS, is_proxied=True) == "others"


def test_the_first_class_that_has_the_request_is_its_class_and_one_match_is_enough() -> None:
    orders, gold = ClassMatch(operations=frozenset({"POST /orders"})), ClassMatch(headers=TIER, from_anyone=True)
    classes = Classes(
        [PriorityClass("a", (orders,)), PriorityClass("others"), PriorityClass("b", (orders, gold))], OPERATIONS
    )
    assert names(classes, route=ORDERS) == "a"
    assert names(classes, "X-Tier: gold", route=ORDERS) == "a"
    assert names(classes, "X-Tier: gold") == "b"
    assert names(classes) == "others"
    assert names(classes, route=99) == "others"
