"""A client's connection on the stage: the test is its client, its handler and its clock."""

from dataclasses import dataclass, field
from typing import Any

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import ClientShareError, ShardgateError
from shardgate.core.exchange import Exchange
from shardgate.core.held import HeldBytes
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.wire.forwarded import TrustedProxies
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.connection import ClientConnection
from shardgate.net.client.contracts import Client, Settings
from tests.net.screenplay import Action, Play

CANCELLED = Action("CANCELLED")
"""The work for the request."""
PAUSED = Action("PAUSED")
"""The stream of the reply: the client is slow."""
RESUMED = Action("RESUMED")
COLLECT = Action("COLLECT")
"""The handler wants the whole body."""
RETIRE = Action("RETIRE")
CLOSE = Action("CLOSE")


@dataclass(frozen=True)
class Handed:
    """The handler has got a request."""

    line: str
    body: bytes = b""


@dataclass(frozen=True)
class Over:
    """A request is over, and its record handed on."""

    status: int
    cut_off: str = ""


@dataclass(frozen=True)
class Says:
    """The handler answers whole."""

    body: bytes = b"ok"
    status: int = 200


@dataclass(frozen=True)
class Relays:
    """The handler passes a shard's reply on, which came in one piece."""

    head: bytes
    body: bytes = b""


@dataclass(frozen=True)
class Begins:
    """The handler begins a reply that streams."""

    head: bytes
    data: bytes = b""


@dataclass(frozen=True)
class Goes:
    """A piece of that reply."""

    data: bytes


@dataclass(frozen=True)
class Finishes:
    """Its end."""

    trailers: bytes = b""


@dataclass(frozen=True)
class Aborts:
    """The handler gives up."""

    reason: str = "shard"


SETTINGS: dict[str, Any] = {
    "body_bytes_max": 100_000_000,
    "held_body_bytes_max": 1_000_000,
    "body_bytes_per_s_min": 0,
    "reply_bytes_per_s_min": 0,
    "reply_idle_timeout_s": 60,
    "header_timeout_s": 30,
    "idle_timeout_s": 75,
    "stream_idle_timeout_s": 300,
    "total_timeout_s": 3600,
    "trusted": TrustedProxies(),
    "passes_trailers": False,
    "held": HeldBytes(1_000_000_000),
}


@dataclass
class Work:
    log: list[Any]

    def cancel(self) -> None:
        self.log.append(CANCELLED)


@dataclass
class Stream:
    log: list[Any]

    def pause(self) -> None:
        self.log.append(PAUSED)

    def resume(self) -> None:
        self.log.append(RESUMED)


@dataclass
class HandlerOfTheTest:
    """Notes what it is handed; the script answers."""

    log: list[Any] = field(default_factory=list)
    has_room: bool = True
    refuses_uploads: bool = False
    uploads: ClientLoad = field(default_factory=lambda: ClientLoad("192.0.2.1", None))
    refusals: list[str] = field(default_factory=list)

    def handle(self, request: Request, client: Client) -> None:
        client.exchange = client.exchange or Exchange(request, b"id", client.peer, 0.0)
        self.log.append(
            Handed(f"{request.method} {request.target.decode()}", b"" if request.arriving else request.body)
        )
        client.adopt(Work(self.log))

    def opened(self, client: Client) -> bool:
        return self.has_room

    def upload_begun(self, client: Client) -> ClientLoad | None:
        if self.refuses_uploads:
            raise ClientShareError("too many bodies", budget="client_uploads")
        self.uploads.uploads += 1
        return self.uploads

    def upload_over(self, load: ClientLoad) -> None:
        load.uploads -= 1

    def closed(self, client: Client) -> None:
        pass

    def refused(self, request: Request | None, client: Client, error: ShardgateError) -> None:
        self.refusals.append(error.code)
        client.exchange = client.exchange or Exchange(request, b"id", client.peer, 0.0)

    def finished(self, exchange: Exchange) -> None:
        self.log.append(Over(exchange.status, exchange.cut_off))


class ClientPlay(Play):
    """The conversation; `settings` are those that differ."""

    def __init__(self, *, is_tls: bool = False, has_room: bool = True, **settings: Any) -> None:
        super().__init__(is_tls=is_tls)
        self.handler = HandlerOfTheTest(self.log, has_room)
        configured = Settings(**SETTINGS | settings)
        self.protocol = ClientConnection(self.handler, RequestHeadParser(), self.watch, configured)
        self.protocol.connection_made(self.transport)

    @property
    def state(self) -> str:
        return self.protocol._state

    def happens(self, happening: Any) -> None:
        client: Client = self.protocol
        if isinstance(happening, Says):
            client.send(Reply(happening.status, [], happening.body))
        elif isinstance(happening, Relays):
            client.relay(ReplyHeadParser().parse(happening.head), happening.body)
        elif isinstance(happening, Begins):
            head: ReplyHead = ReplyHeadParser().parse(happening.head)
            client.begin(head, happening.data, stream=Stream(self.log))
        elif isinstance(happening, Goes):
            client.write(happening.data)
        elif isinstance(happening, Finishes):
            client.finish(happening.trailers)
        elif isinstance(happening, Aborts):
            client.abort(happening.reason)
        elif happening in _ORDERS:
            _ORDERS[happening](client)
        else:
            super().happens(happening)

    def replied(self, status: int, *, closes: bool = False) -> bytes:
        """Take the reply that was written, whatever its body says; check its status and what it says of the end."""
        assert self.log, "no reply"
        written: bytes = self.log.pop(0)
        assert written.startswith(b"HTTP/1.1 %d " % status), written
        assert (b"\r\nConnection: close\r\n" in written) is closes, written
        return written


_ORDERS: dict[Any, Any] = {
    COLLECT: lambda client: client.collect(),
    RETIRE: lambda client: client.retire(),
    CLOSE: lambda client: client.close(),
}
