"""The admin address of a gateway: metrics as a scraper reads them, and readiness."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from tests.cluster import Asked, leave, no_answer, reply, rows
from tests.observe.metrics import Metrics
from tests.waiting import until

RULES = {
    "admin": "127.0.0.1:0",
    "locators": {"vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
    "rules": {
        "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "POST /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "GET /any": {"rule": "any"},
        "GET /events": {
            "rule": "gather",
            "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}},
        },
    },
}


def answer(asked: Asked) -> bytes:
    if asked.line.startswith("GET /events"):
        return rows({"id": "a"})
    if "missing" in asked.line:
        return reply("no", status="404 Not Found")
    return reply("0123456789")


@pytest.fixture
async def gateway(start_shard: Any, start_gateway: Any) -> Any:
    north, south = await start_shard(answer), await start_shard(answer)
    return await start_gateway({"shards": {"north": north.url, "south": south.url}, **RULES})


async def scrape(gateway: Any) -> Metrics:
    gateway.tick()
    return Metrics((await gateway.admin("/metrics")).text)


async def test_requests_are_counted_by_operation_rule_and_class_of_status(gateway: Any) -> None:
    for path in ["/vendors/n-1", "/vendors/s-1", "/vendors/n-missing", "/any", "/events", "/nothing"]:
        await gateway.get(path)
    await gateway.client.head("/any")
    read = await scrape(gateway)
    of = "shardgate_requests_total"
    assert read.value(of, operation="GET /vendors/{id}", rule="one", status="2xx") == 2
    assert read.value(of, operation="GET /vendors/{id}", status="4xx") == 1
    assert read.value(of, operation="GET /any", rule="any", status="2xx") == 2
    assert read.value(of, operation="GET /events", rule="gather", status="2xx") == 1
    assert read.value(of, operation="none", status="4xx") == 1
    assert read.value(of) == 7
    assert read.value("shardgate_errors_total", code="SG1004") == 1
    assert read.value("shardgate_errors_total") == 1


async def test_times_and_bytes_and_shards_are_measured(gateway: Any) -> None:
    request = b"POST /vendors/n-1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    received = await gateway.raw(request)
    listing = b"GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    await gateway.raw(listing)
    read = await scrape(gateway)
    for name in ["shardgate_time_to_first_byte_seconds", "shardgate_request_duration_seconds"]:
        assert read.value(f"{name}_count", rule="one") == 1
        assert read.value(f"{name}_bucket", rule="one", le="30") == 1
        assert 0 < read.value(f"{name}_sum", rule="one") < 5
        assert read.value(f"{name}_count", rule="gather") == 1
    assert read.value("shardgate_received_bytes_total") == len(request) + len(listing)
    assert read.value("shardgate_sent_bytes_total") > len(received)
    assert read.value("shardgate_upstream_first_byte_seconds_count", shard="north") == 2
    assert read.value("shardgate_upstream_first_byte_seconds_count", shard="south") == 1
    assert read.value("shardgate_upstream_connections", shard="north") >= 1
    assert read.value("shardgate_client_connections_opened_total") == 2
    assert read.value("shardgate_worker_cpu_seconds_total") > 0
    assert read.value("shardgate_accept_queue") == 0
    assert read.value("shardgate_loop_lag_seconds_total") >= 0
    assert read.value("shardgate_requests_in_flight_max") > 0


async def test_no_label_comes_from_a_client(gateway: Any) -> None:
    before = len((await scrape(gateway)).samples)
    for number in range(5):
        await gateway.raw(b"BREW%d /any/%d?q=%d HTTP/1.1\r\nHost: h%d\r\n\r\n" % ((number,) * 4))
        await gateway.get(f"/vendors/n-{number}?x=%22%0a{number}", headers={"User-Agent": f"u{number}"})
        await gateway.raw(b"no request %d\r\n\r\n" % number)
    after = await scrape(gateway)
    assert len(after.samples) == before
    assert after.value("shardgate_requests_total") == 15
    assert after.value("shardgate_errors_total", code="SG1001") == 5


async def test_requests_in_flight_are_counted_and_those_of_clients_that_left_are_cut_off(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(no_answer)
    limits = {"connections_per_shard_max": 1, "waiting_per_shard_max": 1}
    gateway = await start_gateway(
        {"shards": {"north": shard.url, "south": "http://127.0.0.1:1"}, **RULES} | {"limits": limits}
    )
    waiting = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(3)]
    for number, (_, writer) in enumerate(waiting, 1):
        writer.write(b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda number=number: gateway.in_flight == number or number == 3)
    assert (await waiting[2][0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 503 ")
    await gateway.get("/vendors/s-1")
    read = await scrape(gateway)
    assert read.value("shardgate_requests_in_flight") == 2
    assert read.value("shardgate_client_connections") == 4
    assert read.value("shardgate_upstream_waiting", shard="north") == 1
    assert read.value("shardgate_upstream_waits_total", shard="north") == 1
    assert read.value("shardgate_upstream_errors_total", shard="north", code="SG4001") == 1
    assert read.value("shardgate_errors_total", code="SG4001") == 1
    assert read.value("shardgate_upstream_errors_total", shard="south", code="SG2001") == 1
    for _, writer in waiting:
        leave(writer)
    await until(lambda: gateway.in_flight == 0)
    read = await scrape(gateway)
    assert read.value("shardgate_requests_in_flight") == 0
    assert read.value("shardgate_requests_cut_off_total", reason="client_gone") == 2
    assert read.value("shardgate_requests_total", status="none") == 2


async def test_a_reply_that_breaks_off_is_counted_with_its_reason(start_shard: Any, start_gateway: Any) -> None:
    async def broken(asked: Asked) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this"

    shard = await start_shard(broken)
    gateway = await start_gateway({"shards": {"north": shard.url, "south": "http://127.0.0.1:1"}, **RULES})
    await gateway.raw(b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n\r\n")
    read = await scrape(gateway)
    assert read.value("shardgate_requests_cut_off_total", reason="shard") == 1
    assert read.value("shardgate_requests_total", status="2xx") == 1


async def test_ready_says_503_only_when_no_shard_can_be_reached(start_shard: Any, start_gateway: Any) -> None:
    north = await start_shard()
    shards = {"north": north.url, "south": "http://127.0.0.1:1"}
    answer = await (await start_gateway({"shards": shards, **RULES})).admin("/readyz")
    assert answer.status_code == 200
    assert answer.json()["shards"] == {"north": "reachable", "south": "unreachable"}
    shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
    gateway = await start_gateway({"shards": shards, **RULES})
    assert (await gateway.admin("/readyz")).status_code == 503
    assert (await gateway.admin("/healthz")).status_code == 200


async def test_admin_answers_its_pages_and_nothing_else(gateway: Any) -> None:
    metrics = await gateway.admin("/metrics")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (await gateway.admin("/any")).status_code == 404
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"http://127.0.0.1:{gateway.admin_port}/metrics")).status_code == 405
    assert (await gateway.get("/metrics")).status_code == 404
    assert (await scrape(gateway)).value("shardgate_requests_total") == 1


async def test_names_and_units_are_as_prometheus_wants_them(gateway: Any) -> None:
    text = (await gateway.admin("/metrics")).text
    for family in Metrics(text).families.values():
        assert family.documentation
        assert re.fullmatch(r"shardgate_[a-z_]+", family.name)
        assert not re.search(r"_(ms|us|milliseconds|kb)$", family.name)
        name = re.escape(family.name)
        assert (family.type == "counter") == bool(re.search(rf"^# TYPE {name}_total counter$", text, re.MULTILINE))
    assert text.endswith("\n")
