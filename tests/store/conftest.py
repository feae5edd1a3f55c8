"""A store of its own for each test, in each database. Skips, and says so, where there are no programs of PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from proof.postgres_server import NoServerError, PostgresServer
from shardgate.core.hosts import PostgresUrl
from shardgate.store import postgres_leases
from shardgate.store.database import Store, StorePlace
from shardgate.store.leases import Leases
from shardgate.store.opening import open_for_worker, open_store

_numbers = count()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except NoServerError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def postgres_place(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresUrl]:
    """An empty database. The server has just started, but nobody has to come back to it."""
    monkeypatch.setattr(postgres_leases, "UNSURE_S", 0.0)
    name = f"store_{next(_numbers)}"
    yield PostgresUrl(server.create(name))
    server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    """Where a store can be made."""
    return tmp_path / "store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_place")


@pytest.fixture
def store(place: StorePlace) -> Iterator[Store]:
    with open_store(place) as store:
        yield store


@pytest.fixture
def new_leases(place: StorePlace) -> Iterator[Callable[[], Leases]]:
    """Makes workers' leases in the place."""
    with ExitStack() as stack:

        def make() -> Leases:
            store, leases = open_for_worker(place)
            stack.callback(store.close)
            stack.callback(leases.close)
            return leases

        yield make


@pytest.fixture
def leases(new_leases: Callable[[], Leases]) -> Leases:
    return new_leases()
