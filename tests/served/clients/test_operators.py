"""Operators aim a read at one shard, and see where rows came from; nobody else does."""

from typing import Any

import pytest

from tests.clients.issuer import RULES, SECRET, Issuer, bearer
from tests.cluster import Asked, reply, rows


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def start(**clients: Any) -> Any:
        def answer(name: str) -> Any:
            def answered(asked: Asked) -> bytes:
                ids = {"north": ("a", "b", "d"), "south": ("c",)}[name]
                return rows(*({"id": each} for each in ids)) if "/events" in asked.line else reply(f'"{name}"')

            return answered

        shards = {
            name: {"url": (await start_shard(answer(name))).url, "alias": alias}
            for name, alias in (("north", "porto"), ("south", "lisboa"))
        }
        how = {"algorithms": ["HS256"], "key_file": "key"}
        return await start_gateway(
            {"shards": shards, **RULES, "clients": {"jwt": how, "operators": {"roles": ["support"]}, **clients}}
        )

    return start


@pytest.fixture
def issuer(tmp_path: Any) -> Issuer:
    (tmp_path / "key").write_text(SECRET)
    (tmp_path / "key").chmod(0o600)
    return Issuer(algorithm="HS256")


async def ask(gateway: Any, token: str | None, path: str = "/events", method: str = "GET", **headers: str) -> Any:
    own = {} if token is None else bearer(token)
    return await gateway.client.request(method, path, headers={**own, **headers})


async def test_an_operator_asks_one_shard(start: Any, issuer: Issuer) -> None:
    gateway, token = await start(), issuer.token(roles=["reader", "support"])
    aimed = {"Shardgate-Shard": "lisboa"}
    assert (await ask(gateway, token)).json() == [{"id": each} for each in "abcd"]
    assert (await ask(gateway, token, **aimed)).json() == [{"id": "c"}]
    assert (await ask(gateway, token, "/vendors/n-1")).json() == "north"
    assert (await ask(gateway, token, "/vendors/n-1", **aimed)).json() == "south"
    for bad in ("nowhere", "south", "lisboa, porto", ""):
        refused = await ask(gateway, token, **{"Shardgate-Shard": bad})
        assert (refused.status_code, refused.json()["code"]) == (403, "SG1041"), bad
    change = await ask(gateway, token, "/events", "POST", **aimed)
    assert (change.status_code, change.json()["code"]) == (403, "SG1041")


async def test_nobody_else_does(start: Any, issuer: Issuer) -> None:
    gateway = await start()
    for token in (issuer.token(), issuer.token(roles=["reader"]), issuer.token(roles="Support")):
        refused = await ask(gateway, token, **{"Shardgate-Shard": "lisboa"})
        assert (refused.status_code, refused.json()["code"]) == (403, "SG1041")
        assert "shardgate-provenance" not in (await ask(gateway, token, Prefer="provenance")).headers
    assert (await ask(gateway, None, **{"Shardgate-Shard": "lisboa"})).status_code == 401
    passing = await start(unverified="pass")
    assert (await ask(passing, None, **{"Shardgate-Shard": "lisboa"})).json()["code"] == "SG1041"


async def test_an_operator_sees_where_rows_came_from(start: Any, issuer: Issuer) -> None:
    gateway, token = await start(), issuer.token(roles="support")
    answer = await ask(gateway, token, Prefer="return=minimal, provenance")
    assert answer.json() == [{"id": each} for each in "abcd"]
    assert answer.headers["shardgate-provenance"] == '"porto";rows=2, "lisboa";rows=1, "porto";rows=1'
    assert answer.headers["cache-control"] == "no-store"
    assert "shardgate-provenance" not in (await ask(gateway, token)).headers
