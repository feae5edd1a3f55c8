"""What a part of the engine sees of the others: calls that a test answers, a client that keeps what it is sent."""

from typing import Any, cast

from shardgate.core.errors import ShardgateError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.wire.coding import Compress
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine import relay
from shardgate.engine.report import Reporter
from shardgate.engine.unpacking import Unpacker
from shardgate.net.upstream.call import Call, Patience

IS_COMPILED = not str(relay.__file__).endswith(".py")
"""Compiled classes take no fakes."""

_PATIENCE = Patience(30.0, 10.0)


def head(status: str = "200 OK", *fields: str, length: int | None = None) -> ReplyHead:
    """A reply's head, as it is read from the wire."""
    lines = [f"HTTP/1.1 {status}", *fields, *([] if length is None else [f"Content-Length: {length}"]), ""]
    return ReplyHeadParser().parse("\r\n".join(lines).encode())


def request(line: str = "GET /events", *fields: str) -> Request:
    """A request, as it is read from the wire."""
    return RequestHeadParser().parse("\r\n".join([f"{line} HTTP/1.1", "Host: a", *fields, ""]).encode())


class FakeConnection:
    """Carries a call: keeps what is asked of it."""

    def __init__(self) -> None:
        self.is_paused = False
        self.is_aborted = False

    def write_body(self, call: Call, data: bytes) -> None: ...

    def end_body(self, call: Call, trailers: bytes) -> None: ...

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class FakeCluster:
    """Sends nothing: keeps the calls, for the test to answer."""

    def __init__(self, compress: Compress | None = None) -> None:
        self.compress = compress
        self.jar = None
        self.reply_idle_s = self.stream_idle_s = 10.0
        self.reporter = Reporter()
        self.unpacker = Unpacker()
        self.sent: list[tuple[str, bytes]] = []
        self.calls: dict[str, Call] = {}
        self.connections: dict[str, FakeConnection] = {}
        self.replies: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.failovers: dict[str, Any] = {}

    def relay(self, shard: str, head: bytes, request: Request, sink: Any, upload: Any, offers: bytes) -> Call:
        return self._start(shard, head, sink, request.sent_method)

    def read(self, shard: str, head: bytes, body: bytes, sink: Any, method: bytes, words: Any = None) -> Call:
        return self._start(shard, head + body, sink, method)

    def change(self, shard: str, head: bytes, body: bytes, sink: Any, method: bytes) -> Call:
        return self._start(shard, head + body, sink, method)

    def streams(self, call: Call) -> None:
        call.may_stream(_PATIENCE)

    def replied(self, shard: str, call: Call) -> float:
        self.replies.append(shard)
        return 0.0

    def failed(self, shard: str, error: ShardgateError) -> None:
        error.shard = error.shard or shard
        self.failures.append((shard, error.code))

    def _start(self, shard: str, sent: bytes, sink: Any, method: bytes) -> Call:
        call = Call(sent, b"", sink, _PATIENCE, method=method)
        self.sent.append((shard, sent))
        self.calls[shard] = call
        connection = self.connections[shard] = FakeConnection()
        call.on(connection)
        return call

    # What a shard does.

    def answers(self, shard: str, said: ReplyHead, *pieces: bytes, is_whole: bool = True) -> None:
        """The shard replies, piece by piece; and to the end, unless it goes on later."""
        call = self.calls[shard]
        first = pieces[0] if pieces else b""
        has_body = not call.is_head and said.status not in {204, 304}
        if is_whole and len(pieces) < 2 and has_body and said.content_length == len(first):
            call.sink.reply_whole(said, first)  # as a connection does
            if not call.done:
                call.end()
            return
        call.sink.reply_head(said, first)
        for piece in pieces[1:]:
            if not call.done:
                call.sink.reply_data(piece)
        if is_whole:
            self.ends(shard)

    def ends(self, shard: str) -> None:
        """The shard's reply is whole."""
        call = self.calls[shard]
        if not call.done:
            call.end()
            call.sink.reply_end(b"")

    def fails(self, shard: str, error: ShardgateError) -> None:
        """The shard gives no whole reply."""
        self.calls[shard].fail(error)


class FakeClient:
    """Keeps what it is sent, in order."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = exchange
        self.hop = b"Via: test\r\n"
        self.incoming = None
        self.peer = "192.0.2.7"
        self.head_bytes = 0
        self.events: list[tuple[Any, ...]] = []

    def adopt(self, work: Any) -> None:
        self.events.append(("adopt",))

    def send(self, reply: Reply) -> None:
        self.events.append(("send", reply.status, reply.body))

    def interim(self, head: ReplyHead) -> None:
        self.events.append(("interim", head.status))

    def relay(self, head: ReplyHead, body: bytes) -> None:
        self.events.append(("relay", head.status, body))

    def begin(self, head: ReplyHead, data: bytes, *, stream: Any) -> None:
        self.events.append(("begin", head.status, data))
        if self.exchange is not None:
            self.exchange.first_byte_at = 1.0

    def write(self, data: bytes) -> None:
        self.events.append(("write", data))

    def finish(self, trailers: bytes) -> None:
        self.events.append(("finish",))

    def abort(self, reason: str = "") -> None:
        self.events.append(("abort", reason))


def exchange(asked: Request, route: Any = None) -> Exchange:
    """What is noted of a request."""
    exchange = Exchange(asked, b"r-1", "192.0.2.7", 0.0)
    exchange.route = route
    return exchange


def as_any(fake: object) -> Any:
    """A fake, where a type is wanted that it only looks like."""
    return cast("Any", fake)
