"""The load, as a process: `python -m proof.chaos.load PORT [CA]`. With CA, a file in PEM, it speaks TLS.

It tells what became of each request, ten times a second.

The load is open: a request is sent when it is due, whatever became of those before. A line on standard input sets the
rates from then on, as JSON: `{"read": 250, "list": 30}`, requests a second for each kind; `{"closed heavy": 32}` is so
many clients that send the next request as soon as they have a reply.

Holds: partners come from addresses of their own, keep their connections, and wait for `PATIENCE_S`.
"""

import asyncio
import os
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import count

import msgspec
import uvloop

from proof.chaos.connection import Answer, Connection
from proof.chaos.record import PATIENCE_S, Batch, Record, Word

LETTERS = "nswe"
PARTNERS = 10
GREEDY_KIND = "greedy heavy"
BULK_KIND = "bulk heavy"
"""As heavy ones, of an operation that an operator may put into another priority class."""
GREEDY = 99
"""The partner that sends it, from an address of its own."""
FRESH_ONE_IN = 10
"""One read in so many has a connection of its own: it sees whether the port takes clients."""
IDLE_MAX = 8
"""Connections that a partner keeps while they are idle, as libraries for HTTP do."""
HEAVY_ROWS = 1200
"""Of all shards, in an order in which they come by turns: most of the work is the gateway's."""
NUMBERS_APART = 10_000_000
"""No two processes create a thing of the same name."""
HALF = "half "
"""Begins the kind of a request after which the client ends its side of the connection, and reads on."""
RETRY_AFTER_S = 1.0
"""What refusals say."""
_TELL_S = 0.1


class Order(msgspec.Struct, frozen=True):
    """One request to be sent."""

    at_s: float
    kind: str
    number: int

    @property
    def asks(self) -> str:
        """The kind of its request, however it is sent."""
        return self.kind.removeprefix(HALF)

    @property
    def is_half(self) -> bool:
        """The client ends its side with it."""
        return self.kind.startswith(HALF)

    @property
    def letter(self) -> str:
        """Whose key it has."""
        return LETTERS[self.number * 7 // 3 % len(LETTERS)] if self.asks in {"read", "create"} else ""

    @property
    def partner(self) -> int:
        """Who sends it."""
        return GREEDY if self.kind == GREEDY_KIND else self.number % PARTNERS

    @property
    def thing(self) -> str:
        """What it creates."""
        return {"create": f"{self.letter}-c{self.number}", "every": f"e{self.number}"}.get(self.asks, "")

    @property
    def message(self) -> bytes:
        """Its bytes."""
        if self.asks in {"create", "every"}:
            body = msgspec.json.encode({"id": self.thing})
            path = "/things" if self.asks == "create" else "/everyone"
            head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            return f"{head}\r\n\r\n".encode() + body
        if self.kind.endswith("heavy"):
            path = "/list/bulk" if self.kind == BULK_KIND else "/list"
            target = f"{path}?limit={HEAVY_ROWS}&order=n"
        elif self.kind in {"partial", "quorum"}:
            target = f"/list/{self.kind}?limit=20"
        else:
            target = "/list?limit=20" if self.asks == "list" else f"/things/{self.letter}-{self.number}"
        return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


class Load:
    """All partners."""

    def __init__(self, port: int, ca: str | None = None) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=ca) if ca is not None else None
        self._idle: dict[int, list[Connection]] = defaultdict(list)
        self._streams: list[asyncio.Task[None]] = []
        self._numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(os.getpid() * NUMBERS_APART))
        """For each kind by itself: they choose the partner, and all partners ask for each kind alike."""
        self._asking: dict[asyncio.Task[Word], float] = {}
        self._records: list[Record] = []

    async def run(self) -> None:
        """Obey, until standard input ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        telling = asyncio.get_running_loop().create_task(self._tell())
        while line := await reader.readline():
            self._set(msgspec.json.decode(line, type=dict[str, float]))
        telling.cancel()

    def _set(self, rates: dict[str, float]) -> None:
        for stream in self._streams:
            stream.cancel()
        loop = asyncio.get_running_loop()
        self._streams = [
            loop.create_task(self._send_when_due(kind, rate))
            for kind, rate in rates.items()
            if rate and not kind.startswith("closed")
        ]
        for kind, clients in rates.items():
            if kind.startswith("closed"):
                self._streams += [loop.create_task(self._send_when_answered(kind)) for _ in range(int(clients))]

    def order(self, at_s: float, kind: str) -> Order:
        """The next request of a kind, to be sent at this instant."""
        return Order(at_s, kind, next(self._numbers[kind.removeprefix(HALF)]))

    async def _send_when_due(self, kind: str, rate: float) -> None:
        due_s = time.monotonic() + hash(kind) % 97 / 97 / rate  # streams of one rate are not sent together
        loop = asyncio.get_running_loop()
        while True:
            while due_s <= time.monotonic():
                task = loop.create_task(self._ask(self.order(due_s, kind)))
                self._asking[task] = due_s
                task.add_done_callback(self._asking.pop)
                due_s += 1 / rate
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _send_when_answered(self, kind: str) -> None:
        while True:
            if await self._ask(self.order(time.monotonic(), kind)) == "refused":
                await asyncio.sleep(RETRY_AFTER_S)

    async def _ask(self, order: Order) -> Word:
        connection: Connection | None = None
        lag_s = time.monotonic() - order.at_s
        word: Word = "unconnected"
        answer = Answer(0)
        is_fresh = order.is_half or (order.kind == "read" and order.number % FRESH_ONE_IN == 0)
        try:
            async with asyncio.timeout(PATIENCE_S - lag_s):
                connection = await self._connection(order.partner, is_fresh=is_fresh)
                word = "cut"
                answer = await connection.ask(order.message, is_last=order.is_half)
                word = _word(answer)
        except TimeoutError:
            word = "late"
        except OSError:
            pass
        took_s = time.monotonic() - order.at_s
        if connection is not None:
            self._keep(connection, order.partner, is_whole=not is_fresh and word not in {"late", "cut"})
        self._records.append(
            Record(
                round(order.at_s, 5),
                round(took_s, 5),
                order.kind,
                order.letter,
                word,
                answer.status,
                answer.code,
                order.thing,
                order.partner,
                round(lag_s, 5),
                answer.is_partial,
            )
        )
        return word

    def _keep(self, connection: Connection, partner: int, *, is_whole: bool) -> None:
        """For the next request of this partner, if it can have one."""
        if is_whole and connection.is_open and len(self._idle[partner]) < IDLE_MAX:
            self._idle[partner].append(connection)
        else:
            connection.close()

    async def _connection(self, partner: int, *, is_fresh: bool) -> Connection:
        idle = self._idle[partner]
        while idle and not is_fresh:
            if (connection := idle.pop()).is_open:
                return connection
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection,
            "127.0.0.1",
            self._port,
            local_addr=(f"127.0.1.{partner + 1}", 0),
            ssl=self._tls,
            server_hostname="localhost" if self._tls is not None else None,
        )
        return connection

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TELL_S)
            batch = Batch(self._records, min(self._asking.values(), default=None))
            self._records = []
            sys.stdout.buffer.write(msgspec.json.encode(batch) + b"\n")
            sys.stdout.buffer.flush()


def _word(answer: Answer) -> Word:
    if answer.status in {200, 201}:
        return "ok"
    return "refused" if answer.code else "failed"


def main() -> None:
    """Load a gateway."""
    uvloop.run(Load(int(sys.argv[1]), *sys.argv[2:3]).run())


if __name__ == "__main__":
    main()
