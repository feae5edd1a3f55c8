"""A worker follows a directory in PostgreSQL: also where nobody tells it, and after a failover that lost changes."""

import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from proof.postgres_server import PostgresServer
from shardgate.config.load import Loaded, load
from shardgate.core.hosts import PostgresUrl
from shardgate.net import tasks
from shardgate.process.shared_directory import SharedDirectory
from shardgate.store import directory_reader as bounds
from shardgate.store.opening import open_store
from tests.process.test_directory import Following
from tests.waiting import until

MANY = [(f"t{number}", "north") for number in range(500)]


@pytest.fixture(params=["held", "mapped"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Few keys for its bounds, or many."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if request.param == "mapped":
        monkeypatch.setattr(bounds, "DIRECTORY_HELD_KEYS_MAX", 100)
    return str(request.param)


@pytest.fixture
def filled(postgres_place: PostgresUrl) -> PostgresUrl:
    with open_store(postgres_place) as store:
        store.put_many("vendor", MANY)
    return postgres_place


@pytest.fixture
async def worker(filled: PostgresUrl, how: str, tmp_path: Path) -> AsyncIterator[tuple[SharedDirectory, Following]]:
    file = tmp_path / "shardgate.yaml"
    shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
    file.write_text(yaml.safe_dump({"shards": shards, "store": filled.text, "rules": {"GET /any": {"rule": "any"}}}))
    loaded: Loaded = load(file)
    with open_store(filled) as store:
        cluster = Following(loaded, store)  # type: ignore[arg-type]
        view = bounds.DirectoryReader(store, tuple(loaded.shards), {}).first()
    assert view.how == how
    directory = SharedDirectory(loaded, filled, cluster, view)  # type: ignore[arg-type]
    task = tasks.start(directory.follow(), "directory")
    yield directory, cluster
    task.cancel()
    directory.close()


def database_of(place: PostgresUrl) -> str:
    return place.text.rpartition("/")[2]


async def test_a_change_that_nobody_tells_of_is_seen_within_a_poll(
    worker: tuple[SharedDirectory, Following], filled: PostgresUrl, server: PostgresServer
) -> None:
    _, cluster = worker
    server.ask("ALTER TABLE shardgate.meta DISABLE TRIGGER told", database_of(filled))
    with open_store(filled) as store:
        store.put_many("vendor", [("new", "south")])
    await until(lambda: cluster.owners["vendor"].get("new", None) == "south")


async def test_sessions_that_are_ended_again_and_again_lose_no_change(
    worker: tuple[SharedDirectory, Following], filled: PostgresUrl, server: PostgresServer
) -> None:
    _, cluster = worker
    name = database_of(filled)
    for number in range(5):
        server.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with open_store(filled) as store:
            store.put_many("vendor", [(f"n{number}", "south")])
        await until(lambda key=f"n{number}": cluster.owners["vendor"].get(key, None) == "south")


async def test_after_a_failover_that_lost_changes_the_directory_is_that_of_the_new_server_and_goes_on(
    worker: tuple[SharedDirectory, Following],
    filled: PostgresUrl,
    server: PostgresServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Found: where the directory is a map, the older epoch was never taken, and no new key was known until the new
    server had made as many changes as were lost."""
    caplog.set_level(logging.INFO)
    directory, cluster = worker
    name = database_of(filled)
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    server.ask(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.ask(ended)
    await until(lambda: not server.ask(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"))
    server.ask(f"CREATE DATABASE {name}_replica TEMPLATE {name}")
    server.ask(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    with open_store(filled) as store:
        for number in range(5):
            store.put_many("vendor", [(f"lost{number}", "south")])
        lost = store.epoch()
    await until(lambda: directory.epoch == lost)
    server.ask(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.ask(ended)
    await until(lambda: not server.ask(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"))
    server.ask(f"ALTER DATABASE {name} RENAME TO {name}_gone")
    server.ask(f"ALTER DATABASE {name}_replica RENAME TO {name}")
    try:
        await until(lambda: directory.epoch < lost)
        assert cluster.owners["vendor"].get("lost1", None) is None
        assert cluster.owners["vendor"].get("t1", None) == "north"
        assert f"goes back from epoch {lost} to {directory.epoch}" in caplog.text
        with open_store(filled) as store:
            store.put_many("vendor", [("new", "south")])
        await until(lambda: cluster.owners["vendor"].get("new", None) == "south")
    finally:
        server.ask(f"DROP DATABASE {name}_gone WITH (FORCE)")
