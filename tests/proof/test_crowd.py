"""50 buyers at once for the last seats of three shards, through two workers, by every door; as `make crowd` does."""

from pathlib import Path

import pytest

from proof.crowd import run

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_fifty_buyers_by_every_door_get_all_seats_and_no_more(tmp_path: Path) -> None:
    capacity, sold, findings = run(tmp_path)
    assert findings == []
    assert sold == capacity == 180
