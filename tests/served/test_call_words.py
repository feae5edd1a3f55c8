"""What rules say of their own calls: what is retried, what is hedged, and which 200 is a failure."""

import asyncio
import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import load
from shardgate.core.plan.explain import explain
from shardgate.core.plan.planner import plan_request
from shardgate.process.explain import explain_request
from tests.cluster import Asked, no_answer, reply, rows, running_shard, until
from tests.core.requests import request

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}
ONE = {"rule": "one", "key": "path.id", "locate": "vendor"}
FAILED = '{"error": "database"}'


def config(urls: list[Any], rule: dict[str, Any], guards: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "shards": {"north": {"replicas": urls, "guards": guards or {}}},
        "admin": "127.0.0.1:0",
        "locators": {"vendor": [{"kind": "hash"}]},
        "rules": {f"{method} /vendors/{{id}}": {**ONE, **rule} for method in rule.pop("methods", ["GET"])},
    }


def says(data: bytes, asked: Asked) -> bytes:
    return data


def closes(asked: Asked) -> bytes:
    return b""


async def count(gateway: Any, name: str) -> int:
    gateway.tick()
    lines = (await gateway.admin("/metrics")).text.splitlines()
    return sum(int(line.split()[-1]) for line in lines if line.startswith(name))


async def test_what_may_be_sent_once_is_not_retried_and_not_hedged(start_gateway: Any) -> None:
    busy = reply(status="503 Service Unavailable")
    async with running_shard(lambda _: busy) as a, running_shard(lambda _: reply("1")) as b:
        guards = {"hedge_percent": 100, "failures_max": 1000}
        gateway = await start_gateway(config([a.url, b.url], {"retry": "unsent"}, guards))
        statuses = {(await gateway.get("/vendors/1")).status_code for _ in range(8)}
        assert statuses == {200, 503}
        assert await count(gateway, "shardgate_upstream_retries_total") == 0


async def test_a_read_that_may_be_sent_once_is_not_sent_to_another_shard_when_its_connection_is_cut(
    start_gateway: Any,
) -> None:
    async with running_shard(closes) as a, running_shard(closes) as b:
        made = config([a.url], {})
        made["shards"]["south"] = b.url
        made["rules"] = {"GET /reports": {"rule": "any", "retry": "unsent"}, "GET /names": {"rule": "any"}}
        gateway = await start_gateway(made)
        for _ in range(4):
            answer = await gateway.get("/reports")
            assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
        assert len(a.asked) + len(b.asked) == 4
        assert (await gateway.get("/names")).status_code == 502
        assert len(a.asked) + len(b.asked) == 6


async def test_what_was_not_sent_is_sent_to_another_replica_in_any_case(start_gateway: Any) -> None:
    async with running_shard(lambda _: reply("1")) as b:
        gateway = await start_gateway(config(["http://127.0.0.1:1", b.url], {"retry": "unsent"}))
        assert {(await gateway.get("/vendors/1")).status_code for _ in range(8)} == {200}


async def test_an_idempotent_change_is_sent_again_where_its_rule_says_so(start_gateway: Any) -> None:
    for words, statuses in (({"retry": "idempotent"}, {200}), ({}, {200, 502})):
        async with running_shard(closes) as a, running_shard(lambda _: reply("1")) as b:
            rule = {"methods": ["PUT", "DELETE"], **words}
            gateway = await start_gateway(config([a.url, b.url], rule, {"failures_max": 1000}))
            found = [await gateway.client.put("/vendors/1", json={}) for _ in range(6)]
            assert {answer.status_code for answer in found} == statuses
            assert a.asked
            assert b.asked


@pytest.mark.parametrize(
    ("method", "target", "headers", "retries", "told"),
    [
        ("POST", "/report", [], True, "sent to up to 1 more on a failure, 502"),
        ("PUT", "/vendors/1", [], True, "sent to up to 1 more on a failure, 502"),
        ("PUT", "/vendors/1", ["Idempotency-Key: a"], False, "sent to up to 1 more where nothing of it was sent"),
    ],
)
async def test_what_explain_says_of_retries_is_what_is_done(
    start_gateway: Any, tmp_path: Path, method: str, target: str, headers: list[str], retries: bool, told: str
) -> None:
    """Found: a report by POST was said to be sent once, and a change with a key to be sent again; both were untrue."""
    async with running_shard(closes) as a, running_shard(closes) as b:
        made = config([a.url, b.url], {"methods": ["PUT"], "retry": "idempotent"})
        made["rules"]["POST /report"] = {"rule": "gather", "merge": {"kind": "numbers", "sum": ["n"], "posted": True}}
        gateway = await start_gateway({**made, "store": "store.db"})
        (tmp_path / "same.yaml").write_text(yaml.safe_dump({**made, "store": "same.db", "listen": "127.0.0.1:0"}))
        lines, _ = explain_request(load(tmp_path / "same.yaml"), method, target, headers, b"{}")
        assert told in dict(lines)["guards"]
        sent = dict(each.split(": ") for each in headers)
        await gateway.client.request(method, target, json={}, headers=sent)
        assert len(a.asked) + len(b.asked) == (2 if retries else 1)


async def test_where_all_tries_of_a_change_break_it_may_have_been_made(start_gateway: Any) -> None:
    async with running_shard(closes) as a, running_shard(closes) as b:
        gateway = await start_gateway(config([a.url, b.url], {"methods": ["PUT"], "retry": "idempotent"}))
        answer = await gateway.client.put("/vendors/1", json={})
        assert (answer.status_code, answer.json()["code"]) == (502, "SG2008")
        assert len(a.asked) + len(b.asked) == 2


@pytest.mark.parametrize(("breaker", "asked"), [("never", 12), (1, 1), (3, 3), (None, 5)])
async def test_how_many_failures_of_a_route_leave_a_replica_out(start_gateway: Any, breaker: Any, asked: int) -> None:
    busy = reply(status="503 Service Unavailable")
    async with running_shard(lambda _: busy) as a, running_shard(lambda _: reply("1")) as b:
        words = {} if breaker is None else {"breaker": breaker}
        guards = {"failures_max": 5, "hedge_percent": 0, "panic_percent": 0, "retry_percent": 100}
        replicas = [{"url": a.url, "weight": 1000}, b.url]
        gateway = await start_gateway(config(replicas, words, guards))
        for _ in range(12):
            assert (await gateway.get("/vendors/1")).status_code == 200
        assert len(a.asked) == asked
        assert await count(gateway, "shardgate_replicas_left_out_total") == (0 if breaker == "never" else 1)


async def test_what_a_route_that_never_counts_does_is_no_reason_to_leave_a_replica_out_for_others(
    start_gateway: Any,
) -> None:
    def answer(asked: Asked) -> bytes:
        return reply(status="503 Service Unavailable") if asked.line.startswith("GET /slow") else reply("1")

    async with running_shard(answer) as a, running_shard(answer) as b:
        made = config([a.url, b.url], {})
        made["rules"]["GET /slow/{id}"] = {**ONE, "breaker": "never"}
        gateway = await start_gateway(made)
        for _ in range(30):
            assert (await gateway.get("/slow/1")).status_code == 503
            assert (await gateway.get("/vendors/1")).status_code == 200
        assert await count(gateway, "shardgate_replicas_left_out_total") == 0


@pytest.mark.parametrize(("hedge", "is_hedged"), [("never", False), (30.0, False), (0.05, True), (None, True)])
async def test_a_read_is_hedged_as_its_rule_says(start_gateway: Any, hedge: Any, is_hedged: bool) -> None:
    hangs = asyncio.Event()

    def answer(asked: Asked) -> Any:
        return no_answer(asked) if hangs.is_set() else reply('"a"')

    async with running_shard(answer) as a, running_shard(lambda _: reply('"b"')) as b:
        words = {} if hedge is None else {"hedge": hedge}
        guards = {"hedge_percent": 100, "failures_max": 1000}
        gateway = await start_gateway(config([a.url, b.url], words, guards))
        for _ in range(60):
            await gateway.get("/vendors/1")
        hangs.set()
        before = len(a.asked)
        asking = []
        while len(a.asked) == before:
            asking.append(asyncio.ensure_future(gateway.get("/vendors/1")))
            await asyncio.wait(
                [asking[-1], asyncio.ensure_future(until(lambda: len(a.asked) > before))], return_when="FIRST_COMPLETED"
            )
        if is_hedged:
            assert (await asking[-1]).text == '"b"'
        hedges = await count(gateway, "shardgate_upstream_hedges_total")
        assert (hedges > 0) == is_hedged
        for each in asking:
            each.cancel()


def chunked(body: str) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return f"{head}{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode()


def packed(body: str) -> bytes:
    data = gzip.compress(body.encode())
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


@pytest.mark.parametrize("made", [reply, chunked, packed])
async def test_a_200_that_failed_is_retried_and_its_replica_left_out(
    start_gateway: Any, made: Callable[[str], bytes], caplog: Any
) -> None:
    async with running_shard(lambda _: made(FAILED)) as a, running_shard(lambda _: reply('{"id": 1}')) as b:
        first = {"url": a.url, "weight": 1000}
        gateway = await start_gateway(config([first, b.url], {"failure_is": {"error": "any"}}))
        for _ in range(40):
            assert (await gateway.get("/vendors/1")).json() == {"id": 1}
        asked = len(a.asked)
        assert 5 <= asked <= 8
        assert 'is left out for 5 s: member error is `"database"`' in caplog.text
        assert await count(gateway, 'shardgate_upstream_errors_total{shard="north",code="SG2013"}') == 0, "all retried"


async def test_where_nobody_does_better_the_applications_own_words_pass(start_gateway: Any) -> None:
    async with running_shard(lambda _: reply(FAILED)) as a:
        gateway = await start_gateway(config([a.url], {"failure_is": {"error": "any"}}))
        answer = await gateway.get("/vendors/1")
        assert (answer.status_code, answer.text) == (200, FAILED)
        assert await count(gateway, 'shardgate_upstream_errors_total{shard="north",code="SG2013"}') == 1


async def test_a_change_that_says_it_failed_is_not_sent_again(start_gateway: Any) -> None:
    async with running_shard(lambda _: reply(FAILED)) as a, running_shard(lambda _: reply("{}")) as b:
        rule = {"methods": ["POST"], "failure_is": {"error": "any"}}
        gateway = await start_gateway(config([a.url, b.url], rule, {"failures_max": 1000}))
        found = {(await gateway.client.post("/vendors/1", json={})).text for _ in range(6)}
        assert found == {FAILED, "{}"}
        assert len(a.asked) + len(b.asked) == 6


@pytest.mark.parametrize(
    "body",
    ['{"error": null, "id": 1}', "[1]", '"text"', "{" + " " * 70_000 + "}", json.dumps({"text": "x" * 70_000})],
)
async def test_what_does_not_say_so_passes_untouched(start_gateway: Any, body: str) -> None:
    for made in (reply, chunked):
        async with running_shard(partial(says, made(body))) as a:
            gateway = await start_gateway(config([a.url], {"failure_is": {"error": "any"}}))
            answer = await gateway.get("/vendors/1")
            assert (answer.status_code, answer.text) == (200, body)


async def test_any_other_shard_is_asked_where_the_rule_is_any(start_gateway: Any) -> None:
    async with running_shard(lambda _: reply(FAILED)) as a, running_shard(lambda _: reply('{"id": 1}')) as b:
        rules = {"GET /about": {"rule": "any", "failure_is": {"error": "any"}}}
        gateway = await start_gateway({"shards": {"a": a.url, "b": b.url}, "rules": rules, "admin": "127.0.0.1:0"})
        assert [(await gateway.get("/about")).json() for _ in range(4)] == [{"id": 1}] * 4
        assert await count(gateway, 'shardgate_upstream_errors_total{shard="a",code="SG2013"}') == 2
        await until(lambda: gateway.in_flight == 0)


async def test_a_list_is_retried_at_another_replica_before_its_shard_is_missing(start_gateway: Any) -> None:
    async with running_shard(lambda _: reply(FAILED)) as a, running_shard(lambda _: rows({"id": 1})) as b:
        rules = {"GET /rows": {"rule": "gather", "merge": LIST, "failure_is": {"error": "any"}}}
        gateway = await start_gateway({"shards": {"north": {"replicas": [a.url, b.url]}}, "rules": rules})
        assert [(await gateway.get("/rows")).json() for _ in range(20)] == [[{"id": 1}]] * 20
        assert len(a.asked) <= 8


async def test_explain_says_what_the_rule_says(start_gateway: Any) -> None:
    async with running_shard(closes) as a, running_shard(closes) as b:
        rule = {"hedge": 1.5, "failure_is": {"error": "any"}}
        gateway = await start_gateway(config([a.url, b.url], rule))
        snapshot = gateway.worker.built.cluster.snapshot
        asked = request("GET /vendors/1")
        route, variables = snapshot.routes.match("GET", asked.path)
        lines = explain(asked, plan_request(asked, route, variables, snapshot.known, lambda: 0.0))
    assert ("hedge", "not before 1.5 s") in lines
    assert ("failed", "a reply whose error says so; it speaks against its replica") in lines
