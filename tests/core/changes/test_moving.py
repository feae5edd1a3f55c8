"""The phases of a movement: what is held, and what follows a crash."""

from typing import get_args

from shardgate.core.changes.moving import FENCES, RECOVERIES, Phase, fence_of


def test_every_phase_says_what_is_held_and_how_it_goes_on() -> None:
    assert {*FENCES} == {*RECOVERIES} == {*get_args(Phase)}


def test_a_mover_that_is_dead_holds_nothing_unless_rows_may_be_on_two_shards() -> None:
    assert fence_of("fenced", lives=True) == "writes"
    assert fence_of("fenced", lives=False) == "open"
    assert fence_of("closed", lives=False) == "open"
    assert fence_of("committing", lives=False) == "closed"
    assert fence_of("flipped", lives=False) == "closed"


def test_only_while_the_target_may_have_the_rows_it_must_be_looked() -> None:
    assert [phase for phase, recovery in RECOVERIES.items() if recovery == "look"] == ["committing"]
