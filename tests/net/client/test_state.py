"""The life of a connection: the table is what its prologue draws, and no state is a dead end but the last."""

import re

import pytest

from shardgate.core.errors import BugError
from shardgate.net.client import state
from shardgate.net.client.state import EVENTS, GONE, IDLE, LOST, REPLIED, STATES

ARROW = re.compile(r"^    (\S.*?) +--(\w+)--> +(\w+)$", re.MULTILINE)


def drawn() -> set[tuple[str, str, str]]:
    """The arrows of the prologue."""
    assert state.__doc__ is not None
    return {
        (before, event, after)
        for named, event, after in ARROW.findall(state.__doc__)
        for before in (STATES if named == "(any)" else named.split(", "))
    }


def test_the_drawing_is_the_table() -> None:
    table = {(before, event.name, after) for event in EVENTS for before, after in event.items()}
    assert drawn() == table


def test_every_state_is_reached_and_left() -> None:
    left = {before for event in EVENTS for before, after in event.items() if after != before}
    reached = {after for event in EVENTS if event is not LOST for after in event.values()}
    assert left == set(STATES) - {GONE}
    assert reached == set(STATES)


def test_events_have_the_names_they_are_known_by() -> None:
    assert [getattr(state, event.name.upper()) for event in EVENTS] == [*EVENTS]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_what_is_not_in_the_table_is_a_defect(event: state.Event) -> None:
    for impossible in set(STATES) - set(event):
        with pytest.raises(BugError, match=f"`{event.name}` cannot happen to a connection that is {impossible}"):
            event[impossible]


def test_a_second_reply_to_one_request_is_a_defect() -> None:
    assert IDLE not in REPLIED
