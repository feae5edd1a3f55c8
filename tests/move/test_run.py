"""What an operator may do with a movement: pause it, go on, give it up, take it back, and see how far it is."""

from collections.abc import Callable
from contextlib import closing
from io import StringIO
from threading import Thread

import pytest
from rich.console import Console

from shardgate.move.errors import MoveFailedError, MoveRefusedError
from shardgate.move.mover import Mover
from shardgate.move.request import MoveSettings
from shardgate.move.run import run_abandon, run_move, run_resume, run_undo, show_status, wish
from shardgate.store.movements import Movement, MovementReport, Movements
from shardgate.store.sqlite import SqliteStore
from tests.move.test_mover import die_at_the_flip, home, run, settings
from tests.waiting import wait_until

__all__ = ["settings"]

SERIES = "WITH RECURSIVE series (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM series WHERE n < 2500)"


def console(*, terminal: bool = False) -> Console:
    return Console(file=StringIO(), width=200, force_terminal=terminal)


def printed(shown: Console) -> str:
    assert isinstance(shown.file, StringIO)
    return shown.file.getvalue()


def once(act: Callable[[], object]) -> Callable[[Movement, MovementReport], None]:
    """A report that acts when it is called first: during the copy."""
    acted: list[object] = []
    return lambda *_: None if acted else acted.append(act())


def left(settings: MoveSettings) -> list[tuple[object, ...]]:
    """What a movement has left behind in the databases."""
    query = "SELECT name FROM sqlite_master WHERE name LIKE '~_shardgate%' ESCAPE '~'"
    return [row for shard in settings.shards for row in run(settings, shard, query)]


def last(settings: MoveSettings) -> Movement:
    with SqliteStore(settings.store) as store:
        return Movements(store).last(1)[0]


def interrupt() -> None:
    raise KeyboardInterrupt


def die_while_it_copies(settings: MoveSettings) -> None:
    with closing(Mover(settings, once(interrupt))) as mover, pytest.raises(KeyboardInterrupt):
        mover.move(["a"], "south")


def test_a_movement_that_pauses_goes_on_when_it_is_told_to(settings: MoveSettings) -> None:
    def move() -> None:
        with closing(Mover(settings, once(lambda: wish(settings, "pause")))) as mover:
            mover.move(["a"], "south")

    moving = Thread(target=move)
    moving.start()
    try:
        wait_until(lambda: left(settings) and last(settings).wish == "pause")
        assert (last(settings).phase, home(settings, "a")) == ("copying", "north")
    finally:
        shown = console()
        run_resume(settings, shown)
        moving.join()
    assert "goes on" in printed(shown)
    assert (last(settings).phase, home(settings, "a")) == ("done", "south")


def test_a_movement_is_given_up_by_its_mover(settings: MoveSettings) -> None:
    given_up = once(lambda: wish(settings, "abandon"))
    with closing(Mover(settings, given_up)) as mover, pytest.raises(MoveFailedError, match="was given up"):
        mover.move(["a"], "south")
    assert (last(settings).phase, home(settings, "a"), left(settings)) == ("abandoned", "north", [])
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]


def test_a_movement_is_given_up_by_its_mover_in_the_middle_of_a_table(settings: MoveSettings) -> None:
    """A query that was open let no table be dropped: the movement stood still instead."""
    run(settings, "north", f"INSERT INTO goods {SERIES} SELECT 'a-' || n, 'a', 1, '' FROM series")

    def report(movement: Movement, told: MovementReport) -> None:
        if told.copied > 500 and not movement.ended_at:
            wish(settings, "abandon")

    with closing(Mover(settings, report)) as mover, pytest.raises(MoveFailedError, match="was given up"):
        mover.move(["a"], "south")
    assert (last(settings).phase, home(settings, "a"), left(settings)) == ("abandoned", "north", [])


def test_a_movement_whose_mover_has_died_is_given_up(settings: MoveSettings) -> None:
    die_while_it_copies(settings)
    assert left(settings) != []
    run_abandon(settings, console())
    assert (last(settings).phase, home(settings, "a"), left(settings)) == ("abandoned", "north", [])


def test_a_movement_whose_mover_has_died_goes_on(settings: MoveSettings) -> None:
    die_while_it_copies(settings)
    with closing(Mover(settings, lambda *_: None)) as mover, pytest.raises(MoveRefusedError, match="is not over"):
        mover.move(["b"], "south")
    shown = console()
    run_resume(settings, shown)
    assert "a is on south; 8 rows" in printed(shown)
    assert (home(settings, "a"), left(settings)) == ("south", [])


def test_a_movement_that_has_gone_too_far_is_not_given_up(
    settings: MoveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_the_flip(settings, monkeypatch)
    with pytest.raises(MoveRefusedError, match="gone too far"):
        run_abandon(settings, console())
    run_resume(settings, console())
    assert (home(settings, "a"), left(settings)) == ("south", [])


def test_a_movement_is_taken_back(settings: MoveSettings) -> None:
    before = run(settings, "north", "SELECT * FROM goods ORDER BY id")
    run_move(settings, ["a"], "south", console())
    number = last(settings).id
    run_undo(settings, number, console())
    assert home(settings, "a") == "north"
    assert run(settings, "north", "SELECT * FROM goods ORDER BY id") == before
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]


def test_one_that_was_given_up_cannot_be_taken_back(settings: MoveSettings) -> None:
    die_while_it_copies(settings)
    run_abandon(settings, console())
    with pytest.raises(MoveRefusedError, match="is not one that is done"):
        run_undo(settings, last(settings).id, console())


@pytest.mark.parametrize("act", [lambda given: wish(given, "pause"), lambda given: run_abandon(given, console())])
def test_there_must_be_a_movement(settings: MoveSettings, act: Callable[[MoveSettings], object]) -> None:
    with pytest.raises(MoveRefusedError, match="no movement is under way"):
        act(settings)


def test_a_terminal_shows_how_far_it_is_and_how_long_it_will_take(settings: MoveSettings) -> None:
    shown = console(terminal=True)
    run_move(settings, ["a"], "south", shown)
    assert "8 of 8 rows" in printed(shown)
    assert "-:--:--" in printed(shown) or "0:00:0" in printed(shown)


def test_the_status_says_what_every_step_took(settings: MoveSettings) -> None:
    run_move(settings, ["a"], "south", console())
    shown = console()
    show_status(settings, shown)
    assert "8 of 8" in printed(shown)
    assert {"gateways", "rows", "target commits", "source commits", "going on"} <= {*last(settings).told.steps_s}
