"""Shards in SQLite and in PostgreSQL, for each test that asks for a `world`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.move.worlds import World, running_world


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    server = None if request.param == "sqlite" else request.getfixturevalue("server")
    with running_world(tmp_path, server) as world:
        yield world
