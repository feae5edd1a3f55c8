"""Held bytes: one client never holds more than its share, and beyond the bound of all who holds most gives first."""

import pytest

from shardgate.core.errors import OverloadError, ShardgateError
from shardgate.core.held import HELD_KINDS, HeldBytes, Holding, Holdings


def test_the_newest_that_has_not_begun_goes_first() -> None:
    held, gone = HeldBytes(100), []
    holdings = [held.open("reply") for _ in range(4)]
    for n, holding in enumerate(holdings):
        holding.on_refused = lambda error, n=n: gone.append(n)
        holding.add(25)
    holdings[3].begun = True
    holdings[0].add(1)
    assert gone == [2]
    holdings[1].close()
    holdings[0].add(49)
    assert gone == [2]
    holdings[0].begun = True
    holdings[0].add(1)
    assert gone == [2, 3]


def test_what_is_given_back_can_be_held_again() -> None:
    held = HeldBytes(100)
    refused: list[ShardgateError] = []
    for _ in range(5):
        holding = held.open("reply")
        holding.on_refused = refused.append
        holding.add(80)
        holding.set(20)
        holding.add(80)
        holding.close()
        holding.add(1000)  # what comes behind the end is not kept
    assert refused == []
    alone = held.open("reply")
    alone.on_refused = refused.append
    alone.add(101)
    assert [type(error) for error in refused] == [OverloadError]
    held.open("reply").add(100)


class Crowd:
    """Clients that hold bytes; `gone` says whose work was refused, in order."""

    def __init__(self, bytes_max: int, client_bytes_max: int | None = None) -> None:
        self.held = HeldBytes(bytes_max, client_bytes_max)
        self.gone: list[str] = []

    def holds(self, peer: str, size: int, name: str = "", kind: str = "request") -> Holding:
        holding = self.held.open(kind, peer)
        holding.on_refused = lambda _: self.gone.append(name or peer)
        holding.add(size)
        return holding


def test_one_client_never_holds_more_than_its_share() -> None:
    crowd = Crowd(1000, 500)
    crowd.holds("10.0.0.2", 400)
    for n in range(9):
        crowd.holds("10.0.0.1", 100, f"attack {n}")
    assert crowd.gone == [f"attack {n}" for n in range(5, 9)]
    assert crowd.held.bytes == 900


def test_old_bodies_of_one_client_do_not_push_out_new_ones_of_another() -> None:
    crowd = Crowd(1000)
    for n in range(10):
        crowd.holds("10.0.0.1", 100, f"old {n}")
    for n in range(3):
        crowd.holds("10.0.0.2", 50, f"new {n}")
    assert crowd.gone == ["old 9", "old 8"]


def test_a_small_new_request_of_the_same_address_is_not_refused_for_a_large_old_one() -> None:
    crowd = Crowd(1000)
    crowd.holds("10.0.0.1", 950, "large")
    crowd.holds("10.0.0.1", 20, "small")
    crowd.holds("10.0.0.1", 40, "also small")
    assert crowd.gone == ["large"]


def test_whoever_grows_there_is_always_one_that_can_go_on() -> None:
    crowd = Crowd(1000)
    holdings = [crowd.holds(f"10.0.0.{n}", 1) for n in range(20)]
    for _ in range(300):
        for holding in holdings:
            holding.add(10)
        assert crowd.held.bytes <= 1000
    whole = Crowd(1000)
    holdings = [whole.holds(f"10.0.0.{n}", 1, str(n)) for n in range(20)]
    while not any(holding.size >= 200 for holding in holdings):
        for holding in holdings:
            holding.add(10)
    assert whole.gone


def test_a_change_that_was_sent_is_not_refused_and_newcomers_are() -> None:
    held = HeldBytes(100)
    sent = held.open("change", "10.0.0.1")
    sent.take(90)
    late = Holdings(held, "10.0.0.2")
    with pytest.raises(OverloadError) as refused:
        late.open("change").take(20)
    assert (refused.value.budget, held.bytes, sent.is_open) == ("held_bytes", 90, True)
    late.open("change").take(10)
    late.close()
    sent.close()
    assert held.bytes == 0


@pytest.mark.parametrize(
    ("one", "other", "is_the_same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("_hidden:1", "_hidden:2", False),
    ],
)
def test_who_counts_as_one_client(one: str, other: str, is_the_same: bool) -> None:
    crowd = Crowd(1000, 100)
    crowd.holds(one, 60)
    crowd.holds(other, 60)
    assert bool(crowd.gone) is is_the_same


def test_what_is_held_is_known_by_kind_and_ends_at_nothing() -> None:
    crowd = Crowd(1000)
    held = [crowd.holds("a", 1 + n, kind=kind) for n, kind in enumerate(HELD_KINDS)]
    assert list(crowd.held.by_kind.values()) == [1, 2, 3, 4, 5]
    assert held[0].room == 1000 - 15
    for holding in held:
        holding.close()
        holding.close()
    assert set(crowd.held.by_kind.values()) == {0}


def test_a_refusal_inside_of_a_refusal_counts_once() -> None:
    held = HeldBytes(100)
    first, second = held.open("request", "a"), held.open("request", "a")
    first.on_refused = lambda _: second.close()
    second.on_refused = lambda _: first.close()
    first.add(60)
    second.add(60)
    assert held.bytes == 0
