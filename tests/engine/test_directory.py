"""The directory in the store: who owns which tenant, and what is written while the gateway serves."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError
from shardgate.process.configured import read
from shardgate.store.sqlite import SqliteStore
from tests.cluster import reply

RULES = {
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
    "rules": {
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /events": {"rule": "one", "key": "body.vendor", "locate": "vendor"},
    },
    "directory": "directory.db",
}


async def test_a_tenant_that_is_added_is_served_a_moment_later(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    north = await start_shard(lambda asked: reply('"north"'))
    south = await start_shard(lambda asked: reply('"south"'))
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendors", [("7", "north")])
        gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **RULES})
        assert (await gateway.get("/vendors/7")).text == '"north"'
        refused = await gateway.client.post("/events", json={"vendor": 8})
        assert (refused.status_code, refused.json()["code"]) == (404, "SG1011")
        store.put_many("vendors", [("8", "south")])
        await asyncio.sleep(1.3)
        assert (await gateway.client.post("/events", json={"vendor": 8})).text == '"south"'


def test_a_directory_that_names_a_shard_nobody_configured_is_a_mistake(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendors", [("7", "nowhere")])
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"shards": {"north": "http://127.0.0.1:1"}, **RULES}))
    with pytest.raises(ConfigError) as raised:
        read(file)
    (mistake,) = raised.value.mistakes
    assert "'nowhere'" in mistake.problem


@pytest.mark.parametrize(("store", "said"), [("nowhere/store.db", "does not exist"), ("notes.txt", "notes.txt: ")])
def test_a_store_that_cannot_be_used_is_a_mistake(tmp_path: Path, store: str, said: str) -> None:
    (tmp_path / "notes.txt").write_text("these are no tables of anybody, and long enough to be looked at" * 10)
    file = tmp_path / "shardgate.yaml"
    rules = {"GET /any": {"rule": "any"}}
    file.write_text(yaml.safe_dump({"shards": {"north": "http://127.0.0.1:1"}, "store": store, "rules": rules}))
    with pytest.raises(ConfigError) as raised:
        read(file)
    (mistake,) = raised.value.mistakes
    assert (mistake.path, said in mistake.problem) == ("store", True)
