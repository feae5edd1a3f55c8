"""Real servers on loopback: shards that answer what a test says, and the gateway in front of them."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from proof.postgres_server import NoServerError, PostgresServer
from shardgate.core.hosts import PostgresUrl
from tests.cluster import Gateway, Shard, running_gateway, running_shard

StartGateway = Callable[..., Any]

_databases = count()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def start_shard(stack: AsyncExitStack) -> Callable[..., Any]:
    """Start a shard: `shard = await start_shard(answer)`."""

    async def start(answer: Any = None) -> Shard:
        return await stack.enter_async_context(running_shard(answer))

    return start


@pytest.fixture
def start_gateway(stack: AsyncExitStack, tmp_path: Path) -> Callable[..., Any]:
    """Start a gateway: `gateway = await start_gateway({"shards": …, "rules": …})`."""

    async def start(config: dict[str, Any], **clock: Any) -> Gateway:
        return await stack.enter_async_context(running_gateway(config, tmp_path, **clock))

    return start


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
    monkeypatch.setattr("shardgate.store.postgres_leases.UNSURE_S", 0.0)
    name = f"store_{next(_databases)}"
    yield PostgresUrl(server.create(name))
    server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, give out the long files first, so that all processes end together."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(
            key=lambda item: 0 if item.get_closest_marker("slow") else 1 if item.get_closest_marker("cluster") else 2
        )
