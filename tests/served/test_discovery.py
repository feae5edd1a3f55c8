"""Replicas that DNS names, over real sockets and a real DNS server: no request is lost while they change."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import dns.rcode

from tests.cluster import Asked, reply, running_shard, until
from tests.dns_server import DnsServer, running_dns
from tests.served.test_replicas import RULES, says


def config(server: DnsServer, found: dict[str, str], **shard: Any) -> dict[str, Any]:
    resolver = {"servers": [f"127.0.0.1:{server.port}"]}
    return {"shards": {"north": {"replicas": found, **shard}}, "resolver": resolver, **RULES}


async def test_replicas_come_and_go_under_load_and_no_request_is_lost(start_gateway: Any) -> None:
    async with AsyncExitStack() as stack, running_dns(A=["127.0.0.1"]) as server:
        a = await stack.enter_async_context(running_shard(says("a")))
        b = await stack.enter_async_context(running_shard(says("b"), a.port, "127.0.0.2"))
        gateway = await start_gateway(config(server, {"dns": f"http://north.test:{a.port}"}))
        answered: list[int] = []
        ends = asyncio.Event()

        async def client() -> None:
            while not ends.is_set():
                answered.append((await gateway.get("/vendors/1")).status_code)
                answered.append((await gateway.client.post("/vendors/1")).status_code)
                answered.append((await gateway.get("/items")).status_code)

        clients = [asyncio.ensure_future(client()) for _ in range(4)]
        await until(lambda: len(answered) > 20)
        assert not b.asked
        server.records["north.test", "A"] = ["127.0.0.1", "127.0.0.2"]
        await until(lambda: b.asked)
        server.records["north.test", "A"] = ["127.0.0.2"]
        await until(lambda: gateway.worker.built.cluster._pools["north"].figures()[0] and _only(gateway, "127.0.0.2"))
        asked = len(a.asked)
        seen = len(answered)
        await until(lambda: len(answered) > seen + 50)
        assert len(a.asked) <= asked + 4, "what was under way"
        ends.set()
        await asyncio.gather(*clients)
    assert set(answered) == {200}


def _only(gateway: Any, host: str) -> bool:
    replicas = gateway.worker.built.cluster._pools["north"].group.replicas
    return [replica.name.partition(":")[0] for replica in replicas] == [host]


async def test_while_dns_fails_or_names_nobody_all_goes_on(start_gateway: Any, caplog: Any) -> None:
    async with running_dns(A=["127.0.0.1"]) as server, running_shard(says("a")) as a:
        found = {"dns": f"http://north.test:{a.port}"}
        gateway = await start_gateway({**config(server, found), "admin": "127.0.0.1:0"})
        assert (await gateway.get("/vendors/1")).text == '"a"'
        assert (await gateway.admin("/readyz")).status_code == 200
        for change in (lambda: setattr(server, "code", dns.rcode.SERVFAIL), server.records.clear):
            asked = len(server.asked)
            change()
            await until(_more(server, asked + 2))
            assert (await gateway.get("/vendors/1")).text == '"a"'
            server.code = dns.rcode.NOERROR
        gateway.tick()
        metrics = (await gateway.admin("/metrics")).text
    assert 'shardgate_discovery_failures_total{shard="north"}' in metrics
    assert 'shardgate_replicas_changed_total{shard="north"} 1' in metrics
    assert "shard north: DNS does not answer for north.test" in caplog.text


def _more(server: DnsServer, count: int) -> Callable[[], bool]:
    return lambda: len(server.asked) >= count


async def test_requests_wait_for_the_first_answer(start_gateway: Any) -> None:
    async with running_dns() as server, running_shard(says("a")) as a:
        gateway = await start_gateway(
            {**config(server, {"dns": f"http://north.test:{a.port}"}), "admin": "127.0.0.1:0"}
        )
        waiting = asyncio.ensure_future(gateway.get("/vendors/1"))
        await until(lambda: gateway.in_flight == 1)
        assert (await gateway.admin("/readyz")).status_code == 503
        server.records["north.test", "A"] = ["127.0.0.1"]
        assert (await waiting).text == '"a"'


async def test_another_weight_costs_no_connection(start_gateway: Any) -> None:
    # Found: the replica left and joined anew, twice a second where weights follow the load.
    async with running_dns() as server, running_shard(says("a")) as a, running_shard(says("b")) as b:
        service = ("_http._tcp.north.test", "SRV")

        def weigh(*weights: int) -> None:
            ports = (a.port, b.port)
            server.records[service] = [
                f"0 {weight} {port} a.test." for weight, port in zip(weights, ports, strict=True)
            ]

        weigh(1, 1)
        server.records["a.test", "A"] = ["127.0.0.1"]
        gateway = await start_gateway(config(server, {"srv": "http://_http._tcp.north.test"}))
        assert (await gateway.get("/vendors/1")).status_code == 200
        replicas = gateway.worker.built.cluster._pools["north"].group.replicas
        weigh(3, 5)
        await until(lambda: sorted(each.member.weight for each in replicas) == [3, 5])
        assert gateway.worker.built.cluster._pools["north"].group.replicas is replicas


async def test_services_say_their_ports_and_health_checks_follow_them(start_gateway: Any) -> None:
    ready = asyncio.Event()

    def slow_to_load(asked: Asked) -> bytes:
        if "/readyz" in asked.line:
            assert asked.field("host") == ["north.test:80"]
            return reply(status="200 OK" if ready.is_set() else "503 Service Unavailable")
        assert ready.is_set(), "it was asked before it was ready"
        return reply('"b"')

    def answer(asked: Asked) -> bytes:
        return reply() if "/readyz" in asked.line else reply('"a"')

    async with running_dns() as server, running_shard(answer) as a, running_shard(slow_to_load) as b:
        service = ("_http._tcp.north.test", "SRV")
        server.records[service] = [f"0 1 {a.port} a.test."]
        server.records["a.test", "A"] = ["127.0.0.1"]
        found = {"srv": "http://_http._tcp.north.test"}
        health = {"path": "/readyz", "interval_s": 0.1}
        gateway = await start_gateway(config(server, found, health=health, guards={"slow_start_s": 0}))
        assert (await gateway.get("/vendors/1")).text == '"a"'
        server.records[service] += [f"0 1 {b.port} a.test."]
        await until(lambda: b.asked)
        for _ in range(20):
            assert (await gateway.get("/vendors/1")).text == '"a"'
        ready.set()

        async def asks_both() -> bool:
            return (await gateway.get("/vendors/1")).text == '"b"'

        await until(asks_both)
