"""The clients of a silent worker have one heir. A worker that stays silent is dead, unless the machine stood still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.failures.pulse import HEIR_S, STALL_S, Watchdog, inherited, silent

NOW = 100.0
OK, QUIET, NEW = NOW - 0.2, NOW - HEIR_S, 0.0


@pytest.mark.parametrize(
    ("beats", "heirs"),
    [
        ([OK, OK, OK], {}),
        ([QUIET, OK, OK], {1: {0}}),
        ([OK, OK, QUIET], {0: {2}}),
        ([OK, QUIET, QUIET, OK], {3: {1, 2}}),
        ([QUIET, OK, QUIET], {1: {0, 2}}),
        ([NEW, OK, OK], {}),  # it has not begun, so that no client comes to its socket
        ([OK, NEW, QUIET], {0: {2}}),
        ([OK], {}),
    ],
)
def test_the_next_worker_that_is_not_silent_accepts(beats: list[float], heirs: dict[int, set[int]]) -> None:
    quiet = silent(beats, NOW)
    found = {me: inherited(beats, me, NOW) for me in range(len(beats)) if not quiet[me]}
    assert {me: mine for me, mine in found.items() if mine} == heirs


@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_each_silent_worker_has_one_heir_where_one_is_left(quiet: list[bool]) -> None:
    beats = [QUIET if each else OK for each in quiet]
    heirs = [other for me, each in enumerate(quiet) if not each for other in inherited(beats, me, NOW)]
    assert sorted(heirs) == ([number for number, each in enumerate(quiet) if each] if not all(quiet) else [])


def test_a_worker_that_stays_silent_is_dead() -> None:
    watchdog = Watchdog(0.0)
    for second in range(1, 31):
        watchdog.look(float(second))
    assert not watchdog.is_dead(20.5, 10.0, 30.0)
    assert watchdog.is_dead(20.0, 10.0, 30.0)


def test_a_machine_that_stood_still_has_killed_nobody() -> None:
    watchdog = Watchdog(0.0)
    watchdog.look(1.0)
    watchdog.look(1.0 + STALL_S + 3600.0)
    assert not watchdog.is_dead(1.0, 10.0, 3605.0)
    for second in range(3605, 3620):
        watchdog.look(float(second))
    assert watchdog.is_dead(1.0, 10.0, 3619.0)
