"""Questions to a real DNS server on loopback."""

import dns.rcode
import pytest

from shardgate.core.limits import DISCOVERY_PATIENCE_S
from shardgate.core.replicas.membership import Discovery, FoundReplica
from shardgate.net.upstream.dns_client import DnsClient, DnsError
from tests.dns_server import running_dns

NORTH = Discovery("north.test", 8000)
SERVICE = Discovery("_http._tcp.north.test", None)


async def test_addresses_of_both_families_and_how_long_they_hold() -> None:
    async with running_dns(A=["10.0.0.1", "10.0.0.2"], AAAA=["fd00::1"]) as server:
        server.ttl_s = 17
        answer = await DnsClient([("127.0.0.1", server.port)]).ask(NORTH)
    assert {one.place for one in answer.found} == {("10.0.0.1", 8000), ("10.0.0.2", 8000), ("fd00::1", 8000)}
    assert answer.ttl_s == 17
    assert not answer.unanswered


async def test_a_name_of_one_family_only() -> None:
    async with running_dns(AAAA=["fd00::1"]) as server:
        answer = await DnsClient([("127.0.0.1", server.port)]).ask(NORTH)
    assert [one.host for one in answer.found] == ["fd00::1"]
    assert answer.ttl_s == 1


async def test_services_with_their_ports_weights_and_priorities() -> None:
    async with running_dns() as server:
        server.records["_http._tcp.north.test", "SRV"] = ["0 3 8001 a.test.", "1 0 8002 b.test."]
        server.records["a.test", "A"] = ["10.0.0.1"]
        server.additional = [("b.test", "A", "10.0.0.2")]
        answer = await DnsClient([("127.0.0.1", server.port)]).ask(SERVICE)
        assert sorted(answer.found, key=lambda one: one.port) == [
            FoundReplica("10.0.0.1", 8001, 3.0, 0),
            FoundReplica("10.0.0.2", 8002, 0.1, 1),
        ]
        assert "b.test A" not in server.asked, "its address stood beside the answer"


async def test_a_service_that_is_said_not_to_be_there() -> None:
    async with running_dns() as server:
        server.records["_http._tcp.north.test", "SRV"] = ["0 0 0 ."]
        assert not (await DnsClient([("127.0.0.1", server.port)]).ask(SERVICE)).found


@pytest.mark.parametrize("code", [dns.rcode.NXDOMAIN, dns.rcode.NOERROR])
async def test_nobody_is_named(code: dns.rcode.Rcode) -> None:
    async with running_dns() as server:
        server.code = code
        client = DnsClient([("127.0.0.1", server.port)])
        assert not (await client.ask(NORTH)).found
        assert not (await client.ask(SERVICE)).found


async def test_a_server_that_fails() -> None:
    async with running_dns(A=["10.0.0.1"]) as server:
        server.code = dns.rcode.SERVFAIL
        client = DnsClient([("127.0.0.1", server.port)])
        with pytest.raises(DnsError, match="no resolver answers well"):
            await client.ask(NORTH)
        with pytest.raises(DnsError, match="no resolver answers well"):
            await client.ask(SERVICE)
        server.code = dns.rcode.NOERROR
        assert (await client.ask(NORTH)).found


async def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shardgate.net.upstream.dns_client.DISCOVERY_PATIENCE_S", DISCOVERY_PATIENCE_S / 10)
    async with running_dns(A=["10.0.0.1"]) as server:
        server.is_silent = True
        with pytest.raises(DnsError, match="no answer in time"):
            await DnsClient([("127.0.0.1", server.port)]).ask(NORTH)
