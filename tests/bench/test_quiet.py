"""A look at the machine says whether its figures are worth keeping."""

import os

from bench.quiet import Quiet, look


def test_a_look_leaves_the_cores_as_they_were() -> None:
    before = os.sched_getaffinity(0)
    seen = look()
    assert os.sched_getaffinity(0) == before
    assert 0 < seen.share <= 1.01
    assert seen.spread >= 1
    assert seen.piece_us > 0


def test_others_on_the_core_and_uneven_pieces_are_not_quiet() -> None:
    assert Quiet(0.99, 1.02, 1500).is_quiet
    assert not Quiet(0.8, 1.02, 1500).is_quiet
    assert not Quiet(0.99, 1.4, 1500).is_quiet
