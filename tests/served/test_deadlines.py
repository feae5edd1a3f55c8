"""Deadlines of rules and of clients: a request ends in time, whatever serves it, and shards are told what is left."""

from collections.abc import Awaitable
from typing import Any

import pytest

from tests.cluster import Asked, no_answer, rows, running_shard, until

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}
HEADER = "X-Request-Timeout-Ms"


def config(*urls: str, deadline_s: float | None = None, **more: Any) -> dict[str, Any]:
    deadline = {} if deadline_s is None else {"deadline_s": deadline_s}
    return {
        "shards": {f"s{number}": url for number, url in enumerate(urls)},
        "admin": "127.0.0.1:0",
        "locators": {"vendor": [{"kind": "hash"}]},
        "rules": {
            "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor", **deadline},
            "POST /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor", **deadline},
            "GET /items": {"rule": "gather", "merge": LIST, **deadline},
        },
        **more,
    }


@pytest.mark.parametrize("path", ["/vendors/1", "/items"])
async def test_a_request_ends_when_the_deadline_of_its_rule_has_passed(start_gateway: Any, path: str) -> None:
    async with running_shard(no_answer) as a, running_shard(no_answer) as b:
        gateway = await start_gateway(config(a.url, b.url, deadline_s=0.2))
        answer = await gateway.get(path)
        assert (answer.status_code, answer.json()["code"]) == (504, "SG2003")
        assert answer.json()["detail"] == "the deadline of the rule, 0.2 s, has passed"
        await until(lambda: gateway.in_flight == 0)
        gateway.tick()
        metrics = (await gateway.admin("/metrics")).text
    assert 'shardgate_deadlines_passed_total{whose="rule"} 1' in metrics


async def test_a_client_may_ask_for_less_and_not_for_more(start_gateway: Any) -> None:
    async with running_shard(no_answer) as a:
        gateway = await start_gateway(config(a.url, deadline_s=0.2, deadline_header=HEADER))
        shorter = await gateway.get("/vendors/1", headers={HEADER: "50"})
        longer = await gateway.get("/vendors/1", headers={HEADER: "5000"})
    assert shorter.json()["detail"] == "the deadline of the client, 0.05 s, has passed"
    assert longer.json()["detail"] == "the deadline of the rule, 0.2 s, has passed"


async def test_a_change_that_ended_so_may_have_been_made(start_gateway: Any) -> None:
    async with running_shard(no_answer) as a:
        gateway = await start_gateway(config(a.url, deadline_s=0.2))
        answer = await gateway.client.post("/vendors/1", json={})
    assert answer.json()["detail"].endswith("the change may have been made or not")


async def test_shards_are_told_what_is_left(start_gateway: Any) -> None:
    async with running_shard(lambda asked: rows({"id": 1})) as a, running_shard(lambda asked: rows({"id": 2})) as b:
        gateway = await start_gateway(config(a.url, b.url, deadline_s=5, deadline_header=HEADER))
        assert (await gateway.get("/items", headers={HEADER: "2000"})).status_code == 200
        assert (await gateway.get("/vendors/1")).status_code == 200
        for shard in (a, b):
            (said,) = shard.asked[0].field(HEADER.lower())
            assert 0 < int(said) <= 2000
        (said,) = [*a.asked, *b.asked][-1].field(HEADER.lower()) or a.asked[-1].field(HEADER.lower())
        assert 1000 < int(said) <= 5000


@pytest.mark.parametrize(("said", "status"), [("soon", 400), ("-1", 400), ("1.5", 400), ("0", 504)])
async def test_what_a_client_may_write(start_gateway: Any, said: str, status: int) -> None:
    async with running_shard() as a:
        gateway = await start_gateway(config(a.url, deadline_header=HEADER))
        assert (await gateway.get("/vendors/1", headers={HEADER: said})).status_code == status
        assert not a.asked


async def test_without_the_setting_the_field_is_the_applications(start_gateway: Any) -> None:
    async with running_shard() as a:
        gateway = await start_gateway(config(a.url))
        assert (await gateway.get("/vendors/1", headers={HEADER: "soon"})).status_code == 200
        assert a.asked[0].field(HEADER.lower()) == ["soon"]


async def test_a_reply_that_goes_on_after_the_deadline_is_cut(start_gateway: Any) -> None:
    def answer(asked: Asked) -> bytes | Awaitable[bytes]:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"

    async with running_shard(answer) as a:
        gateway = await start_gateway(config(a.url, deadline_s=0.3))
        got = await gateway.raw(b"GET /vendors/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert got.endswith(b"\r\n\r\nfirst")
        await until(lambda: gateway.in_flight == 0)
        gateway.tick()
        metrics = (await gateway.admin("/metrics")).text
    assert 'shardgate_requests_cut_off_total{reason="deadline"} 1' in metrics


async def test_a_request_that_is_answered_in_time_leaves_nothing(start_gateway: Any) -> None:
    async with running_shard() as a:
        gateway = await start_gateway(config(a.url, deadline_s=20))
        for _ in range(5):
            assert (await gateway.client.post("/vendors/1", json={})).status_code == 200
        assert gateway.worker.built.gateway.deadlines._timers == {}
