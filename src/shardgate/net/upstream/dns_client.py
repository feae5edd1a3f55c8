"""Asks DNS for the addresses of a name (A and AAAA records) and for the places of a service (SRV records).

Holds: no answer within the patience is an error. An answer says for how long it holds.
Never: keeps an answer.
"""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from shardgate.core.limits import DISCOVERY_PATIENCE_S
from shardgate.core.replicas.membership import Answer, Discovery, FoundReplica, weight_of


class DnsError(Exception):
    """DNS gave no answer; the text says why."""


class DnsClient:
    """The resolvers that the system names, or those that the configuration does."""

    __slots__ = ("_resolver", "_servers")

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        """`servers`: address and port of each resolver; empty: the system's."""
        self._servers = servers
        self._resolver: Any = None

    async def ask(self, discovery: Discovery) -> Answer:
        """The replicas that are found there. Raises DnsError."""
        if discovery.port is None:
            return await self._services(discovery.name)
        return await self._addresses(discovery.name, discovery.port)

    async def _addresses(self, name: str, port: int) -> Answer:
        kinds = ("A", "AAAA")
        answers = await asyncio.gather(*(self._records(name, kind) for kind in kinds), return_exceptions=True)
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if len(failed) == len(kinds):
            raise failed[0]
        answered = [answer for answer in answers if not isinstance(answer, BaseException)]
        found = [FoundReplica(str(record.address), port) for records, _ in answered for record in records]
        if failed and not found:
            raise failed[0]
        unanswered = [kind == "AAAA" for kind, answer in zip(kinds, answers, strict=True) if answer in failed]
        # Of a family without an address, the time says how long that holds, which is of no interest.
        return Answer(found, min([ttl_s for records, ttl_s in answered if records], default=0), unanswered)

    async def _services(self, name: str) -> Answer:
        answer = await self._asked(name, "SRV")
        if answer is None:
            return Answer((), 0.0)
        nowhere = import_module("dns.name").root  # RFC 2782: there is no such service
        records = [record for record in answer.rrset or () if record.target != nowhere]
        # Resolvers put the addresses of the targets beside the answer, most of the time.
        beside: dict[Any, list[FoundReplica]] = {}
        for rrset in answer.response.additional:
            beside.setdefault(rrset.name, []).extend(
                [FoundReplica(one.address, 0) for one in rrset if hasattr(one, "address")]
            )
        missing = {record.target for record in records if not beside.get(record.target)}
        more = await asyncio.gather(*(self._addresses(str(target), 0) for target in sorted(missing)))
        beside |= {target: list(one.found) for target, one in zip(sorted(missing), more, strict=True)}
        found = [
            FoundReplica(one.host, record.port, weight_of(record.weight), record.priority)
            for record in records
            for one in beside[record.target]
        ]
        ttls = [one.ttl_s for one in more if one.found]
        return Answer(found, min([float(answer.chaining_result.minimum_ttl), *ttls]))

    async def _records(self, name: str, kind: str) -> tuple[Sequence[Any], float]:
        """The records, and for how long they hold; none where the name has none. Raises DnsError."""
        answer = await self._asked(name, kind)
        return ((), 0.0) if answer is None else (answer.rrset or (), float(answer.chaining_result.minimum_ttl))

    async def _asked(self, name: str, kind: str) -> Any:
        """The answer; None: there is no such name. Raises DnsError."""
        nowhere, failures = import_module("dns.resolver").NXDOMAIN, import_module("dns.exception").DNSException
        try:
            return await self._used().resolve(name, kind, raise_on_no_answer=False, search=not self._servers)
        except nowhere:
            return None
        except (failures, OSError) as error:
            self._resolver = None  # the system may name others by now
            raise DnsError(_told(error)) from None

    def _used(self) -> Any:
        if self._resolver is None:
            resolver = import_module("dns.asyncresolver").Resolver(configure=not self._servers)
            if self._servers:
                named = import_module("dns.nameserver").Do53Nameserver
                resolver.nameservers = [named(host, port) for host, port in self._servers]
            resolver.lifetime = DISCOVERY_PATIENCE_S
            resolver.timeout = DISCOVERY_PATIENCE_S / 2
            self._resolver = resolver
        return self._resolver


def _told(error: Exception) -> str:
    """In a few words: the library tells all of what it tried."""
    names = {"LifetimeTimeout": "no answer in time", "NoNameservers": "no resolver answers well"}
    return names.get(type(error).__name__, f"{type(error).__name__}: {error}"[:200])
