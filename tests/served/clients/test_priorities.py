"""Priority classes over real connections: who is refused first, and that nobody chooses a class that is not theirs."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.issuer import SECRET, Issuer, bearer
from tests.cluster import Gateway
from tests.observe.metrics import Metrics

CLASSES = [
    {"name": "orders", "match": [{"operations": ["PUT /items/{id}"]}]},
    {"name": "gold", "match": [{"claim": {"tier": ["gold"]}}, {"header": {"X-Tier": ["gold"]}}]},
    {"name": "others"},
]
RULES = {
    "GET /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
    "PUT /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
    "POST /$batch": {
        "rule": "batch",
        "requests": "requests",
        "replies": "responses",
        "request": {"method": "method", "path": "url", "headers": "headers", "id": "id"},
        "reply": {"id": "id", "status": "status", "body": "body"},
    },
}


@pytest.fixture
async def gateway(start_gateway: Any, start_shard: Any, tmp_path: Path) -> Gateway:
    """One that trusts the proxy at 127.0.0.9."""
    return await started(start_gateway, start_shard, tmp_path, "127.0.0.9")


async def started(start_gateway: Any, start_shard: Any, tmp_path: Path, proxy: str) -> Gateway:
    pytest.importorskip("jwt")
    (tmp_path / "secret").write_text(SECRET)
    shard = await start_shard()
    clients = {
        "jwt": {"algorithms": ["HS256"], "key_file": "secret"},
        "unverified": "pass",
        "classes": CLASSES,
    }
    made: Gateway = await start_gateway(
        {
            "shards": {"s0": shard.url},
            "locators": {"item": [{"kind": "hash"}]},
            "rules": RULES,
            "clients": clients,
            "trusted_proxies": [proxy],
            "admin": "127.0.0.1:0",
        }
    )
    return made


async def counted(gateway: Gateway, name: str, outcome: str) -> float:
    gateway.tick()
    read = Metrics((await gateway.admin("/metrics")).text)
    return read.value("shardgate_class_requests_total", **{"class": name, "outcome": outcome})


def refuses_from(gateway: Gateway, rank: int) -> None:
    """It is overloaded so much that this class and those behind it are refused."""
    loads = gateway.worker.built.gateway.loads
    loads.shedding._squeeze(rank, 0, 0)
    loads.expire()


async def put(gateway: Gateway, **options: Any) -> int:
    return (await gateway.client.put("/items/1", **options)).status_code


async def get(gateway: Gateway, **options: Any) -> int:
    return (await gateway.get("/items/1", **options)).status_code


async def test_the_last_class_is_refused_first_and_at_once(gateway: Gateway) -> None:
    gold = bearer(Issuer(algorithm="HS256").token(tier="gold"))
    refuses_from(gateway, 2)
    said = await gateway.get("/items/1")
    assert (said.status_code, said.json()["code"], said.headers["retry-after"]) == (503, "SG4001", "1")
    assert await get(gateway, headers=gold) == 200
    assert await put(gateway) == 200
    refuses_from(gateway, 1)
    assert await get(gateway, headers=gold) == 503
    assert await put(gateway, headers=gold) == 200
    assert [await counted(gateway, "others", each) for each in ("taken", "refused")] == [0, 1]
    assert [await counted(gateway, "gold", each) for each in ("taken", "refused")] == [1, 1]
    assert [await counted(gateway, "orders", each) for each in ("taken", "refused")] == [2, 0]
    shedding = gateway.worker.built.gateway.loads.shedding
    assert shedding._others_of == [0, 0, 0], "each that was taken on is over"


async def test_nobody_forges_a_class(gateway: Gateway) -> None:
    refuses_from(gateway, 2)
    forged = Issuer(algorithm="HS256", secret="another-secret-of-enough-characters-32").token(tier="gold")
    for headers in (
        {"X-Tier": "gold"},
        {"X_Tier": "gold"},
        bearer(forged),
        {"X-Forwarded-For": "127.0.0.9", "X-Tier": "gold"},
    ):
        assert await get(gateway, headers=headers) == 503, headers


async def test_a_proxy_names_the_class_and_what_stands_in_a_batch_does_not(
    start_gateway: Any, start_shard: Any, tmp_path: Path
) -> None:
    gateway = await started(start_gateway, start_shard, tmp_path, "127.0.0.1")
    assert await get(gateway, headers={"X-Tier": "gold"}) == 200
    assert await counted(gateway, "gold", "taken") == 1
    inner = [{"id": "1", "method": "GET", "url": "/items/1", "headers": {"X-Tier": "gold"}}]
    said = await gateway.client.post("/$batch", json={"requests": inner})
    assert said.json()["responses"][0]["status"] == 200
    assert await counted(gateway, "gold", "taken") == 1
    assert await counted(gateway, "others", "taken") == 2, "the batch, and what it has"
    refuses_from(gateway, 2)
    assert await get(gateway) == 503
    assert await get(gateway, headers={"X-Tier": "gold"}) == 200
