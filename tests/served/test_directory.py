"""The directory: a tenant that is written to the store while the gateway serves is found."""

from pathlib import Path
from typing import Any

from shardgate.store.sqlite import SqliteStore
from tests.cluster import reply
from tests.waiting import until

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

        async def is_served() -> bool:
            return bool((await gateway.client.post("/events", json={"vendor": 8})).text == '"south"')

        await until(is_served)
