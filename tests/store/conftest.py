"""A store in a file of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shardgate.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.db") as store:
        yield store
