"""A DNS server on loopback: what it answers is in the test's hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class DnsServer(asyncio.DatagramProtocol):
    """Answers from `records`: name and kind → what stands in a zone file; nothing: an empty answer."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    ttl_s: int = 1
    code: dns.rcode.Rcode = dns.rcode.NOERROR
    is_silent: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0
    additional: list[tuple[str, str, str]] = field(default_factory=list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        if self.is_silent:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        answer.set_rcode(self.code)
        if self.code == dns.rcode.NOERROR and (found := self.records.get((name, kind))):
            answer.answer.append(dns.rrset.from_text(question.name, self.ttl_s, "IN", kind, *found))
            for owner, its_kind, value in self.additional:
                answer.additional.append(dns.rrset.from_text(f"{owner}.", self.ttl_s, "IN", its_kind, value))
        self._transport.sendto(answer.to_wire(max_size=65535), addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def running_dns(**records: list[str]) -> AsyncIterator[DnsServer]:
    """Serve on a free port. `records`: the addresses of `north.test`, by kind."""
    server = DnsServer({("north.test", kind): found for kind, found in records.items()})
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()
