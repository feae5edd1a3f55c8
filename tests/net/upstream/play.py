"""A connection to a shard on the stage: the test is the shard, the sink of the reply, and the clock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from shardgate.core.errors import ShardDownError, ShardgateError
from shardgate.core.http import ReplyHead
from shardgate.core.wire.addresses import NO_ADDRESSES, ShardAddresses
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.net.upload import BodyTaker
from shardgate.net.upstream.call import Call, Patience
from shardgate.net.upstream.connection import UpstreamConnection
from shardgate.net.upstream.names import Resolve
from shardgate.net.upstream.pool import Pool, PoolSettings
from shardgate.net.watch import Watch
from tests.net.screenplay import Action, Clock, Play, Transport
from tests.waiting import one_turn

PAUSED = Action("PAUSED")
"""The client that uploads: the shard is slow."""
RESUMED = Action("RESUMED")
RELEASED = Action("RELEASED")
"""The connection can be used again."""
GIVEN_BACK = Action("GIVEN_BACK")
"""The connection has ended."""
AGAIN = Action("AGAIN")
"""The call is to be tried once more."""


@dataclass(frozen=True)
class Head:
    """The sink has got a head, and with it the first piece of the body."""

    status: int
    data: bytes = b""


@dataclass(frozen=True)
class Whole:
    """The sink has got a reply in one piece."""

    status: int
    body: bytes = b""


@dataclass(frozen=True)
class Interim:
    status: int


@dataclass(frozen=True)
class Data:
    data: bytes


@dataclass(frozen=True)
class End:
    trailers: bytes = b""


@dataclass(frozen=True)
class Failed:
    code: str


@dataclass(frozen=True)
class Switched:
    data: bytes


@dataclass
class Sink:
    """Notes what it gets."""

    log: list[Any]
    error: ShardgateError | None = None

    def reply_interim(self, head: ReplyHead) -> None:
        self.log.append(Interim(head.status))

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self.log.append(Head(head.status, data))

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        self.log.append(Whole(head.status, body))

    def reply_data(self, data: bytes) -> None:
        self.log.append(Data(data))

    def reply_end(self, trailers: bytes) -> None:
        self.log.append(End(trailers))

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        self.log.append(Switched(data))

    def reply_failed(self, error: ShardgateError) -> None:
        self.error = error
        self.log.append(Failed(error.code))


@dataclass
class Uploading:
    """A request's body that the test hands on piece by piece."""

    log: list[Any]
    is_chunked: bool = False
    taker: BodyTaker | None = None
    enough: Callable[[], None] | None = None
    """To be called by the test when enough has come; None: it has."""
    waits: bool = False

    def await_enough(self, then: Callable[[], None]) -> None:
        if self.waits:
            self.enough = then
        else:
            then()

    def stream_to(self, taker: BodyTaker) -> None:
        self.taker = taker

    def pause(self) -> None:
        self.log.append(PAUSED)

    def resume(self) -> None:
        self.log.append(RESUMED)


PATIENCE: dict[str, Any] = {"reply_s": 30.0, "idle_s": 60.0, "total_s": 3600.0, "first_byte_s": 20.0}
WHOLE: dict[str, Any] = {"idle_s": None, "total_s": inf}
"""Of a reply that is waited for whole."""


def call_of(
    log: list[Any],
    clock: Clock,
    *,
    line: bytes = b"GET /any",
    body: bytes = b"",
    upload: Uploading | None = None,
    offers: bytes = b"",
    watch: Watch | None = None,
    **patience: Any,
) -> Call:
    """A call whose sink notes into the log."""
    waits = Patience(**PATIENCE | patience, watch=watch or Watch(clock))
    head = line + b" HTTP/1.1\r\n\r\n"
    return Call(head, body, Sink(log), waits, method=line.split()[0], upload=upload, offers=offers)


@dataclass
class OwnerOfTheTest:
    log: list[Any]

    def released(self, connection: UpstreamConnection) -> None:
        self.log.append(RELEASED)

    def answered(self) -> None:
        pass

    def lost(self, connection: UpstreamConnection) -> None:
        self.log.append(GIVEN_BACK)

    def again(self, call: Call) -> None:
        self.log.append(AGAIN)


class UpstreamPlay(Play):
    """A single connection; its pool is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol = UpstreamConnection(OwnerOfTheTest(self.log), ReplyHeadParser())
        self.protocol.connection_made(self.transport)

    def call(self, **details: Any) -> Call:
        """Send a call."""
        call = call_of(self.log, self.clock, watch=self.watch, **details)
        self.watch.add(call)
        self.protocol.send(call)
        return call

    def again_used(self) -> None:
        """The connection has idled, and may just be closing."""
        self.protocol.idle_at = self.clock()


@dataclass
class DiallerOfTheTest:
    """Opens connections to fake transports, when the test lets it."""

    may_connect: asyncio.Event = field(default_factory=asyncio.Event)
    is_down: bool = False
    opened: list["Opened"] = field(default_factory=list)

    async def connect(self, connection: UpstreamConnection) -> None:
        await self.may_connect.wait()
        if self.is_down:
            raise self.failed("nobody is there")
        self.opened.append(Opened(connection))

    def gone(self) -> frozenset[str]:
        return frozenset()

    def failed(self, reason: str) -> ShardDownError:
        return ShardDownError("the shard cannot be reached", log=reason)


def named(*answers: Sequence[str]) -> Resolve:
    """Each time the next answer; the last one again and again."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise OSError(f"{host} is unknown")
        return found

    return resolve


class Opened:
    """One connection of a pool."""

    def __init__(self, connection: UpstreamConnection) -> None:
        self.log: list[Any] = []
        self.connection = connection
        connection.connection_made(Transport(self.log))

    def took(self) -> bytes:
        """What was written to it since."""
        assert self.log, "nothing was sent"
        written: bytes = self.log.pop(0)
        return written

    def says(self, data: bytes) -> None:
        self.connection.data_received(data)

    def ends(self) -> None:
        self.connection.connection_lost(None)


class PoolPlay:
    """A pool over fake connections."""

    def __init__(
        self, *, connections_max: int = 2, waiting_max: int = 2, addresses: ShardAddresses = NO_ADDRESSES
    ) -> None:
        self.clock = Clock()
        self.watch = Watch(self.clock)
        self.dialler = DiallerOfTheTest()
        self.dialler.may_connect.set()
        settings = PoolSettings(connections_max, waiting_max, idle_timeout_s=4.0, addresses=addresses)
        self.pool = Pool(self.dialler, self.watch, settings)
        self.log: list[Any] = []

    @property
    def opened(self) -> list[Opened]:
        return self.dialler.opened

    async def call(self, line: bytes = b"GET /any", **details: Any) -> Call:
        """Start a call, and let what it began go on."""
        call = call_of(self.log, self.clock, watch=self.watch, line=line, **details)
        self.pool.start(call)
        await turns()
        return call

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.watch.look()

    async def quietly(self, seconds: float) -> None:
        """Time passes tick by tick, and what begins goes on."""
        for _ in range(round(seconds / 0.25)):
            self.passes(0.25)
            await turns()


async def turns() -> None:
    """Tasks that have begun go on until they wait."""
    await one_turn()
    await one_turn()
