"""What one client takes up of a worker, the bounds of that, and the name that it is counted by.

Never: reads a clock or a socket.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from shardgate.core.bucket import Bucket
from shardgate.core.value import Value

_NETWORK_BITS: Final = 64


class ClientBounds(Value, frozen=True):
    """What one client may take up of one worker."""

    connections_max: int
    requests_max: int
    uploads_max: int
    rate_per_s: float | None = None
    """Requests; None: any number."""
    burst: int = 1
    """Requests at once, where there is a rate."""
    claim: str = ""
    """The claim of a verified token that says who the client is; empty: its address does."""

    def bucket(self, now_s: float) -> Bucket | None:
        """A client's bucket; None: there is no rate."""
        return Bucket(self.burst, self.rate_per_s, now_s) if self.rate_per_s is not None else None


class ClientLoad:
    """What one client takes up now."""

    __slots__ = ("bucket", "connections", "name", "requests", "uploads")

    def __init__(self, name: str, bucket: Bucket | None) -> None:
        self.name = name
        """What the client is counted by."""
        self.bucket = bucket
        self.connections = 0
        """Open ones, except those of trusted proxies."""
        self.requests = 0
        """Those under way."""
        self.uploads = 0
        """Bodies that did not come with their head and are not whole yet."""

    @property
    def is_idle(self) -> bool:
        """Nothing of the client is here now."""
        return not (self.connections or self.requests or self.uploads)


@lru_cache(4096)
def name_of_address(address: str) -> str:
    """The name of the client at an address: of IPv6 the network of 64 bits, for a subscriber has all of it
    (RFC 6177)."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = int(parsed) >> (128 - _NETWORK_BITS) << (128 - _NETWORK_BITS)
    return f"{IPv6Address(network)}/{_NETWORK_BITS}"
