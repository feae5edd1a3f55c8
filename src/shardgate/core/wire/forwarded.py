"""Who a request comes from, where proxies stand in front: believed as far as they are trusted, and no further.

Holds: what a client says of its own address is dropped, unless a trusted proxy passed it on.
Never: looks a name up.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from shardgate.core.http import RequestFields
from shardgate.core.value import Value
from shardgate.core.wire.forwarding import hop_lines

Network = IPv4Network | IPv6Network


class TrustedProxies(Value, frozen=True):
    """The networks whose word counts."""

    networks: tuple[Network, ...] = ()

    def covers(self, address: str) -> bool:
        """Whether this is one of them."""
        return bool(self.networks) and _within(address, self.networks)

    def client_of(self, fields: RequestFields, peer: str) -> str:
        """The nearest address that is not trusted: everything before it may be invented."""
        named = fields.values.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        for address in reversed([one.strip() for one in named if one.strip()]):
            if _address(address) is None:
                return peer
            if not self.covers(address):
                return address
            peer = address
        return peer


def forwarded_lines(fields: RequestFields, peer: str, scheme: str) -> tuple[bytes, str]:
    """What a request that came through a trusted proxy carries towards a shard, and the scheme of its client."""
    chain = fields.values.get(b"x-forwarded-for")
    addresses = f"{chain.decode('latin-1')}, {peer}" if chain else peer
    said = fields.values.get(b"x-forwarded-proto", b"").lower().decode("latin-1")
    scheme = said if said in {"http", "https"} else scheme
    lines = hop_lines(addresses, scheme)
    standard = fields.values.get(b"forwarded")
    if standard is not None:  # RFC 7239 section 4: append what we know of our own peer
        node = f'"[{peer}]"' if ":" in peer else peer
        lines += b"Forwarded: %b, for=%b\r\n" % (standard, node.encode("latin-1"))
    return lines, scheme


@lru_cache(4096)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if text.count(":") == 1:
        text = text.partition(":")[0]  # some proxies name the port, too
    try:
        parsed = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
