"""A store that was lost, file or database, is restored as docs/howto/ecs.md says: tenants are found, and what was done
once is not done again. Without a backup the gateway begins with an empty store and the directory.
"""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proof.postgres_server import PostgresServer, programs
from shardgate.cli.main import app
from shardgate.core.hosts import PostgresUrl
from tests.cluster import Asked, Gateway, reply, running_gateway, running_shard

TENANTS = "space,key,shard\nvendors,acme,north\nvendors,best,south\n"
RULES = {
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
    "rules": {
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /vendors/{v}/orders": {"rule": "one", "key": "path.v", "locate": "vendor", "idempotency": {}},
    },
    "idempotency": {},
}
PASSWORD = "lost"


class Platform:
    """Two shards that count their orders, and gateways before them, one after the other."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.shards: dict[str, str] = {}
        self.orders: list[str] = []

    async def start(self) -> None:
        for name in ("north", "south"):
            shard = await self._stack.enter_async_context(running_shard(partial(self._does, name)))
            self.shards[name] = shard.url

    def _does(self, name: str, asked: Asked) -> bytes:
        if asked.line.startswith("GET"):
            return reply(f'"{name}"')
        self.orders.append(name)
        return reply(f'{{"order":{len(self.orders)}}}', status="201 Created")

    def gateway(self, store: str) -> Any:
        directory = {} if store.startswith("postgresql:") else {"directory": store}
        return running_gateway({**RULES, **directory, "shards": self.shards, "store": store}, self._folder)


@pytest.fixture
async def platform(stack: AsyncExitStack, tmp_path: Path) -> Platform:
    platform = Platform(stack, tmp_path)
    await platform.start()
    return platform


def imported(folder: Path, store: str) -> None:
    file = folder / "tenants.csv"
    file.write_text(TENANTS)
    done = CliRunner().invoke(app, ["directory", "import", str(file), "-d", store])
    assert (done.exit_code, "2 keys are new" in done.output) == (0, True), done.output


async def ordered(gateway: Gateway, key: str) -> Any:
    headers = {"Idempotency-Key": key, "Authorization": "Bearer partner"}
    answer = await gateway.client.post("/vendors/best/orders", content="{}", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def found(gateway: Gateway) -> list[Any]:
    return [(await gateway.get(f"/vendors/{vendor}")).json() for vendor in ("acme", "best")]


async def lost_and_restored(
    platform: Platform, store: str, *, keep: Callable[[], None], lose: Callable[[], None], restore: Callable[[], None]
) -> None:
    async with platform.gateway(store) as gateway:
        first = await ordered(gateway, '"before"')
    keep()
    lose()
    restore()
    async with platform.gateway(store) as gateway:
        assert await found(gateway) == ["north", "south"]
        assert await ordered(gateway, '"before"') == first
        assert platform.orders == ["south"], "what was done before the backup is not done again"
        await ordered(gateway, '"after"')
    assert platform.orders == ["south", "south"]


async def test_a_lost_file_is_restored_from_its_copy(platform: Platform, tmp_path: Path) -> None:
    store, copy = tmp_path / "store.db", tmp_path / "copy.db"
    imported(tmp_path, str(store))

    def keep() -> None:
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)

    def lose() -> None:
        for file in tmp_path.glob("store.db*"):
            file.unlink()

    def restore() -> None:
        copy.rename(store)
        with closing(sqlite3.connect(store)) as restored:
            assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    await lost_and_restored(platform, str(store), keep=keep, lose=lose, restore=restore)


async def test_a_lost_database_is_restored_from_its_dump(
    platform: Platform, postgres_place: PostgresUrl, server: PostgresServer, tmp_path: Path
) -> None:
    dump, name = tmp_path / "store.dump", postgres_place.text.rpartition("/")[2]
    imported(tmp_path, postgres_place.text)

    def run(program: str, *options: str) -> None:
        done = subprocess.run([programs() / program, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def lose() -> None:
        server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')

    def restore() -> None:
        server.create(name)
        run("pg_restore", "--dbname", postgres_place.text, str(dump))

    def keep() -> None:
        run("pg_dump", "--format=custom", f"--file={dump}", postgres_place.text)

    await lost_and_restored(platform, postgres_place.text, keep=keep, lose=lose, restore=restore)


async def test_without_a_backup_the_directory_is_imported_into_an_empty_store(
    platform: Platform, postgres_place: PostgresUrl, tmp_path: Path
) -> None:
    async with platform.gateway(postgres_place.text) as gateway:
        assert (await gateway.get("/vendors/acme")).status_code == 200, "one shard answers for what it does not have"
        refused = await gateway.client.post("/vendors/best/orders", content="{}")
        assert (refused.status_code, refused.json()["code"]) == (404, "SG1011")
        assert platform.orders == []
    imported(tmp_path, postgres_place.text)
    async with platform.gateway(postgres_place.text) as gateway:
        assert await found(gateway) == ["north", "south"]


async def test_the_gateways_own_user_needs_no_more_than_the_page_gives_it(
    platform: Platform, postgres_place: PostgresUrl, server: PostgresServer, tmp_path: Path
) -> None:
    name = postgres_place.text.rpartition("/")[2]
    own = postgres_place.text.replace("postgres@", f"gateway:{PASSWORD}@")
    server.ask(f"CREATE ROLE gateway LOGIN PASSWORD '{PASSWORD}'")
    try:
        server.ask(f'GRANT CREATE ON DATABASE "{name}" TO gateway')
        imported(tmp_path, own)
        async with platform.gateway(own) as gateway:
            assert await ordered(gateway, '"first"') == {"order": 1}
        owners = server.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'shardgate'", name)
        assert owners == [("gateway",)]
    finally:
        server.ask("DROP OWNED BY gateway", name)
        server.ask("DROP ROLE gateway")
