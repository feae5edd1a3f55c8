"""Which addresses of a name are tried, and when one is left."""

from shardgate.core.limits import NAME_GONE_S, NAME_KEPT_S, NAME_LAGS_S
from shardgate.core.replicas.resolved import Resolved


def test_addresses_of_both_families_are_tried_by_turns_in_the_systems_order() -> None:
    resolved = Resolved()
    resolved.answer(["::1", "::2", "::3", "10.0.0.1", "10.0.0.2", "::1"], 0)
    assert resolved.in_order(1) == ["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"]


def test_an_address_that_lagged_is_tried_last_for_a_while() -> None:
    resolved = Resolved()
    resolved.answer(["10.0.0.1", "10.0.0.2"], 0)
    resolved.lagged("10.0.0.1", 1)
    assert resolved.in_order(2) == ["10.0.0.2", "10.0.0.1"]
    assert resolved.in_order(1 + NAME_LAGS_S) == ["10.0.0.1", "10.0.0.2"]
    resolved.lagged("10.0.0.1", 3)
    resolved.connected("10.0.0.1")
    assert resolved.in_order(4) == ["10.0.0.1", "10.0.0.2"]


def test_an_address_is_gone_once_others_are_named_for_long() -> None:
    resolved = Resolved()
    resolved.answer(["10.0.0.1", "10.0.0.2"], 0)
    resolved.answer(["10.0.0.2"], NAME_GONE_S - 1)
    assert not resolved.is_gone("10.0.0.1")
    resolved.answer(["10.0.0.2"], NAME_GONE_S + 1)
    assert resolved.is_gone("10.0.0.1")
    assert not resolved.is_gone("10.0.0.2")
    resolved.answer(["10.0.0.1"], NAME_GONE_S + 2)
    assert not resolved.is_gone("10.0.0.1"), "it is back"


def test_no_answer_says_nothing_for_a_while() -> None:
    resolved = Resolved()
    assert resolved.in_order(0) == []
    resolved.answer(["10.0.0.1"], 0)
    resolved.answer([], NAME_KEPT_S - 1)
    assert resolved.in_order(NAME_KEPT_S) == ["10.0.0.1"]
    assert not resolved.is_gone("10.0.0.1")
    assert resolved.in_order(NAME_KEPT_S + 1) == []


def test_a_name_with_changing_answers_is_not_remembered_without_bound() -> None:
    resolved = Resolved()
    for number in range(1000):
        resolved.answer([f"10.0.{number // 250}.{number % 250}"], float(number))
        resolved.lagged(f"10.0.{number // 250}.{number % 250}", float(number))
    assert len(resolved._named_at) < 40
    assert len(resolved._lagged_at) < 40
