"""Held bytes: beyond the bound, the newest gather that has not begun its reply is refused."""

from shardgate.core.errors import OverloadError, ShardgateError
from shardgate.core.held import HeldBytes


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
