"""A store of its own for each test, in each database. Skips, and says so, where there are no programs of PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shardgate.store.database import Store, StorePlace
from shardgate.store.leases import Leases
from shardgate.store.opening import open_for_worker, open_store
from tests.waiting import wait_until


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    """Where a store can be made."""
    return tmp_path / "store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_place")


@pytest.fixture
def store(place: StorePlace) -> Iterator[Store]:
    with open_store(place) as store:
        yield store


@pytest.fixture
def times_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the store is the test's; of a server it would be its own (`Store.wall`)."""
    monkeypatch.setattr("shardgate.store.postgres.PostgresStore.wall", lambda _, wall_s: wall_s)


@pytest.fixture
def new_leases(place: StorePlace) -> Iterator[Callable[[], Leases]]:
    """Makes workers' leases in the place."""
    with ExitStack() as stack:

        def make() -> Leases:
            store, leases = open_for_worker(place)
            stack.callback(store.close)
            stack.callback(leases.close)
            wait_until(leases.holds)
            return leases

        yield make


@pytest.fixture
def leases(new_leases: Callable[[], Leases]) -> Leases:
    return new_leases()
