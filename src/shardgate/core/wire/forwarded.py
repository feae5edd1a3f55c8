"""The client's address and scheme, where proxies stand in front of the gateway and are trusted to state them.

Proxies state them in `X-Forwarded-For`, or in `Forwarded` (RFC 7239). The configuration says which of the two is read:
a proxy passes the other one on as its client sent it.

Holds: an address that a client states about itself is dropped, unless a trusted proxy passed it on.
Of an `X-Forwarded-For` that is longer than any real one, the nearest addresses are read; such a `Forwarded` counts as
malformed.
Never: looks up a name.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from shardgate.core.http import RequestFields
from shardgate.core.limits import HOPS_MAX
from shardgate.core.value import Value
from shardgate.core.wire.forwarding import hop_lines

Network = IPv4Network | IPv6Network

# RFC 7239 section 4. An address with a port is often sent without its quotes, so an unquoted value may have a colon.
_PAIR = r'[!#$%&\'*+\-.^_`|~0-9A-Za-z]+=(?:[^\s,;"\\]+|"(?:[^"\\]|\\.)*")'
_ELEMENT = re.compile(rf"[ \t]*((?:{_PAIR})?(?:;(?:{_PAIR})?)*)[ \t]*(?:,|$)")
_FOR = re.compile(rf"(?:^|;)for=({_PAIR.partition('=')[2]})", re.IGNORECASE)
_PROTO = re.compile(r'(?:^|;)proto="?(https?)"?(?:;|$)', re.IGNORECASE)


class TrustedProxies(Value, frozen=True):
    """The networks of trusted proxies, and the headers that they write."""

    networks: tuple[Network, ...] = ()
    standard: bool = False
    """They write `Forwarded`; shards are sent it too. False: they write `X-Forwarded-For`."""
    also: tuple[bytes, ...] = ()
    """Further headers of theirs that are passed on, in lower case. The proxies set them, or remove them from
    requests."""

    def covers(self, address: str) -> bool:
        """Whether this address is one of a trusted proxy."""
        return bool(self.networks) and _within(address, self.networks)

    def direct_lines(self, peer: str, scheme: str) -> bytes:
        """The header lines for shards, for all requests of a connection that comes from its client directly."""
        return hop_lines(peer, scheme) + (_element(peer, scheme) if self.standard else b"")

    def read(self, fields: RequestFields, peer: str, scheme: str) -> tuple[bytes, str, str]:
        """A request of a trusted proxy: the header lines for a shard, the client's scheme, and the client's address.

        The client is the nearest address that is not trusted. Everything before it may be invented.
        """
        standard = b""
        if self.standard:
            sent = fields.values.get(b"forwarded", b"")
            elements = _elements(sent.decode("latin-1"))
            chain = [_node(element) for element in elements]
            standard = _element(peer, scheme, sent if elements else b"")
        else:
            named = fields.values.get(b"x-forwarded-for", b"").decode("latin-1").rsplit(",", HOPS_MAX)
            chain = [node for one in named[-HOPS_MAX:] if (node := one.strip())]
        at, client = self._client_in(chain, peer)
        if not self.standard:
            stated = fields.values.get(b"x-forwarded-proto", b"").lower().decode("latin-1")
            scheme = stated if stated in {"http", "https"} else scheme
        elif at < len(chain) and (found := _PROTO.search(elements[at])) is not None:
            scheme = found[1].lower()
        lines = hop_lines(", ".join([*chain, peer]), scheme) + standard
        for name in self.also:
            if name in fields.values and name not in fields.repeated:
                lines += b"%b: %b\r\n" % (name.title(), fields.values[name])
        return lines, scheme, client

    def _client_in(self, chain: list[str], peer: str) -> tuple[int, str]:
        """The client's position in the chain, and its address; the end of the chain: the proxy itself is the client."""
        for at in range(len(chain) - 1, -1, -1):
            address = _address(chain[at])
            if address is None:
                return at + 1, peer
            peer = str(address)
            if not self.covers(peer):
                return at, peer
        return 0, peer


def _elements(value: str) -> list[str]:
    """The elements of a `Forwarded` header; none where any of it is malformed, or where there are too many."""
    elements: list[str] = []
    at = 0
    if value.count(",") >= HOPS_MAX:
        return elements
    while at < len(value):
        match = _ELEMENT.match(value, at)
        if match is None or match.end() == at:
            return []
        elements.append(match[1])
        at = match.end()
    return [element for element in elements if element]


def _node(element: str) -> str:
    """The address in an element; `unknown` where it has none."""
    found = _FOR.search(element)
    address = _address(found[1].strip('"')) if found is not None else None
    return "unknown" if address is None else str(address)


def _element(peer: str, scheme: str, before: bytes = b"") -> bytes:
    """RFC 7239 section 4: the header line with an element for our own peer, behind the others."""
    node = f'"[{peer}]"' if ":" in peer else peer
    others = before + b", " if before else b""
    return b"Forwarded: %bfor=%b;proto=%b\r\n" % (others, node.encode("latin-1"), scheme.encode())


@lru_cache(4096)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]  # some proxies add the port
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
