"""The status link of a change: only the client that made the change can read it."""

from typing import Any

import pytest

from tests.served.things import Things

RULES: dict[str, Any] = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "rules": {"PUT /things/{id}": {"rule": "every", "mode": "eventual"}},
}


async def link_of(start_shard: Any, start_gateway: Any, **headers: str) -> Any:
    app = Things()
    app.held["a"] = {"id": "a"}
    shard = await start_shard(app)
    gateway = await start_gateway({"shards": {"north": shard.url, "south": "http://127.0.0.1:9"}, **RULES})
    answer = await gateway.client.put("/things/a", json={}, headers=headers)
    assert answer.status_code == 202
    return gateway, answer.headers["location"]


@pytest.mark.parametrize("field", ["Authorization", "Cookie", "X-API-Key"])
async def test_another_client_does_not_learn_that_there_is_a_change(
    start_shard: Any, start_gateway: Any, field: str
) -> None:
    gateway, link = await link_of(start_shard, start_gateway, **{field: "one"})
    for headers in ({}, {field: "two"}, {"X-Other": "one"}):
        answer = await gateway.get(link, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "SG1020")
        assert link.rpartition("/")[2] not in answer.text
    answer = await gateway.get(link, headers={field: "one"})
    assert (answer.status_code, answer.json()["state"]) == (200, "finishing")


async def test_the_link_of_a_client_that_does_not_say_who_it_is_cannot_be_guessed(
    start_shard: Any, start_gateway: Any
) -> None:
    gateway, link = await link_of(start_shard, start_gateway)
    assert len(bytes.fromhex(link.rpartition("/")[2])) * 8 >= 128
    assert (await gateway.get(link)).status_code == 200
    assert (await gateway.get(link, headers={"Authorization": "anybody"})).status_code == 200
    assert (await gateway.get(link[:-1])).status_code == 404
