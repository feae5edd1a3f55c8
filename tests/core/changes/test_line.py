"""Changes wait in a line that is bounded by number and by time, and none waits for a client that has left."""

import pytest

from shardgate.core.changes.line import PlaceInLine, TurnLine
from shardgate.core.errors import OverloadError


def place(due_at: float = 10.0, *, wanted: bool = True) -> PlaceInLine:
    return PlaceInLine(due_at, lambda: wanted)


def joined(line: TurnLine, *places: PlaceInLine) -> None:
    for each in places:
        assert line.join(each, 0.0) == []


def test_one_has_the_turn_and_the_others_get_it_in_their_order() -> None:
    line, (a, b, c) = TurnLine(9), (place(), place(), place())
    joined(line, a, b, c)
    assert [each.standing for each in (a, b, c)] == ["has the turn", "waits", "waits"]
    assert line.leave(a, 1.0) == [b]
    assert line.leave(a, 1.0) == []  # it has left before
    assert [each.standing for each in (a, b, c)] == ["over", "has the turn", "waits"]
    assert line.leave(b, 2.0) == [c]
    assert line.leave(c, 3.0) == []
    d = place()
    joined(line, d)
    assert d.standing == "has the turn"


def test_a_line_that_is_full_refuses_at_once() -> None:
    line = TurnLine(2)
    joined(line, place(), place(), place())
    with pytest.raises(OverloadError) as refused:
        line.join(place(), 0.0)
    assert refused.value.budget == "changes_waiting"
    assert refused.value.nothing_done


def test_who_is_late_or_unwanted_does_not_get_the_turn() -> None:
    """Found: 461 changes that their clients had given up were made later, up to 56 s after they were due."""
    line, first, late, left, good = TurnLine(9), place(), place(5.0), place(wanted=False), place()
    joined(line, first, late, left, good)
    assert line.leave(first, 5.0) == [late, left, good]
    assert [each.standing for each in (late, left, good)] == ["late", "unwanted", "has the turn"]


def test_who_is_late_or_unwanted_makes_room_in_a_full_line() -> None:
    line, late, left = TurnLine(2), place(5.0), place(wanted=False)
    joined(line, place(), late, left)
    new = place()
    assert line.join(new, 6.0) == [late, left]
    assert new.standing == "waits"


def test_who_gives_up_waiting_leaves_its_place() -> None:
    line, a, b, c = TurnLine(9), place(), place(), place()
    joined(line, a, b, c)
    assert line.leave(b, 1.0) == []
    assert line.leave(a, 1.0) == [c]
