"""How a run of `make move` goes on and ends."""

from proof.move.run import REFUSED_MAX, make_movements


def test_a_run_ends_where_every_movement_is_refused() -> None:
    """It went on for ever."""
    asked: list[None] = []
    assert make_movements(lambda: bool(asked.append(None)), 3, lambda: True) == 3
    assert len(asked) == REFUSED_MAX


def test_a_movement_that_is_refused_is_made_up_for() -> None:
    made = iter([False, True, False, False, True])
    assert make_movements(lambda: next(made), 2, lambda: True) == 0


def test_no_more_movements_are_made_when_the_clients_have_ended() -> None:
    assert make_movements(lambda: True, 2, lambda: False) == 2
