"""What a client connection and those around it know of each other."""

from typing import TYPE_CHECKING, Protocol

import msgspec

from shardgate.core.errors import ClientError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.wire.forwarded import TrustedProxies

if TYPE_CHECKING:
    from shardgate.net.client.connection import ClientConnection


class Work(Protocol):
    """What runs for a request."""

    def cancel(self) -> object:
        """The client has left."""


class BackPressure(Protocol):
    """Whoever writes a reply that streams."""

    def pause(self) -> None:
        """The client is slower than the shard."""

    def resume(self) -> None:
        """The client has caught up."""


class Handler(Protocol):
    """Answers requests."""

    def handle(self, request: Request, client: "ClientConnection") -> None:
        """Answer through the client's methods, now or later."""

    def opened(self, client: "ClientConnection") -> bool:
        """A client has come; False: there is no room for it."""

    def closed(self, client: "ClientConnection") -> None:
        """A client has gone."""

    def refused(self, request: Request | None, client: "ClientConnection", error: ClientError) -> None:
        """The connection itself is about to refuse a request; None: the bytes were none."""

    def finished(self, exchange: Exchange) -> None:
        """A request is over, well or not."""


class Settings(msgspec.Struct, frozen=True):
    """What a connection needs to know."""

    body_bytes_max: int
    """Of any request."""
    held_body_bytes_max: int
    """Of a body that is held until it is whole."""
    header_timeout_s: float
    idle_timeout_s: float
    stream_idle_timeout_s: float
    total_timeout_s: float
    """Of a body that is held until it is whole; whoever takes one that streams has a time of its own."""
    trusted: TrustedProxies
    passes_trailers: bool
    """Of requests, to shards."""
