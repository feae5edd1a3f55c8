"""The tables of a change: the arrows of their prologue, and what must never be in them."""

import re
from typing import get_args

from shardgate.core.changes import phases
from shardgate.core.changes.entry import OPEN, BranchPhase, ChangeState
from shardgate.core.changes.phases import BEGUN, PHASES, STATES, BranchEvent, ChangeEvent, ChangeStep


def test_the_prologue_shows_the_tables() -> None:
    prologue = phases.__doc__ or ""
    drawn = re.findall(r"^ +(\w+) ──([\w ]+)──► (\w+)$", prologue, re.MULTILINE)
    assert drawn == [(state, event, to) for state, events in STATES.items() for event, to in events.items()]
    drawn_of_branches = re.findall(r"^ +(\w+): (\w+) ──([\w ]+)──► (\w+)$", prologue, re.MULTILINE)
    assert drawn_of_branches == [
        (state, phase, event, to)
        for state, by_phase in PHASES.items()
        for phase, events in by_phase.items()
        for event, to in events.items()
    ]


def test_a_change_that_is_over_has_no_way_on_and_an_open_one_has_an_end() -> None:
    assert set(STATES) == set(PHASES) == set(OPEN)
    assert all({"complete", "hopeless"} <= set(events) for events in STATES.values())


def test_a_decision_is_never_taken_back() -> None:
    assert "trying" not in {to for events in STATES.values() for to in events.values()}
    assert "undoing" not in STATES["finishing"].values()
    assert "finishing" not in STATES["undoing"].values()


def test_every_word_has_a_use() -> None:
    used = {event for events in STATES.values() for event in events}
    assert used == set(get_args(ChangeEvent))
    used_of_branches = {event for by_phase in PHASES.values() for events in by_phase.values() for event in events}
    assert used_of_branches == set(get_args(BranchEvent))
    entered = {to for by_phase in PHASES.values() for events in by_phase.values() for to in events.values()}
    assert entered | set(BEGUN.values()) == set(get_args(BranchPhase))
    assert {to for events in STATES.values() for to in events.values()} | {"trying", "abandoned"} == set(
        get_args(ChangeState)
    )
    assert set(BEGUN) < set(get_args(ChangeStep))


def test_a_shard_that_may_have_the_change_is_never_taken_for_one_that_has_not() -> None:
    """Only `not sent`, `absent` and `refused` say that a shard has nothing of it."""
    for by_phase in PHASES.values():
        for event, to in by_phase["sent"].items():
            if to in {"waiting", "refused", "undone"}:
                assert event in {"not sent", "absent", "refused"}
