"""Mutated requests: whatever arrives at a shard is plain HTTP, and exactly one request for each that was accepted.

A failure prints its case; `SEED` replays all of them.
"""

import asyncio
import random
from typing import Any

from shardgate.core.wire.request_head import RequestHeadParser
from tests.cluster import read_chunked
from tests.waiting import one_turn

SEED = 4711
CASES = 5000
RULES = {
    "GET /any": {"rule": "any"},
    "GET /any/{n}": {"rule": "any"},
    "POST /any": {"rule": "any"},
    "PUT /any/{n}": {"rule": "any"},
}
VALID = [
    b"GET /any HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Mine: 1\r\n\r\n",
    b"GET /any/7?x=%20&y HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive\r\nUser-Agent: z\r\n\r\n",
    b"HEAD /any HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/any HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /any HTTP/1.0\r\n\r\n",
    b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
    b"PUT /any/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: t\r\n\r\n",
    b"POST /any HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    # A body that would be a request, if its length were read differently.
    b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\nGET /any/smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"27\r\nGET /any/smuggled HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
]
NASTY = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"0",
    b"_",
    b"+",
    b"-",
    b"\x0b",
    b"\xff",
    b"\x80",
]
LINES = [
    b"Content-Length: 0\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length : 5\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content_Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"Connection: Content-Length\r\n",
    b"Connection: close, X-Mine\r\n",
    b"Host: b\r\n",
    b" folded\r\n",
    b"Upgrade: h2c\r\n",
    b"X: y\nContent-Length: 9\r\n",
    b"\r\n",
]


def mutated(chance: random.Random) -> bytes:
    """One to three requests, spoilt in one to three places."""
    data = b"".join(chance.choices(VALID, k=chance.choice([1, 1, 2, 3])))
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        at = chance.randrange(len(data))
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:at] + chance.choice(NASTY) + data[at:]
        elif kind == 1:
            data = data[:at] + chance.choice(NASTY) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + data[at + chance.randint(1, 4) :]
        elif kind == 3:
            ends = [n + 2 for n in range(len(data) - 1) if data[n : n + 2] == b"\r\n"] or [at]
            at = chance.choice(ends)
            data = data[:at] + chance.choice(LINES) + data[at:]
        elif kind == 4:
            end = at + chance.randint(1, 40)
            data = data[:end] + data[at:end] + data[end:]
        else:
            data = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    return data


class RecordingShard:
    """Reads what arrives as strictly as it can be read, and answers each request with its number."""

    def __init__(self) -> None:
        self.parser = RequestHeadParser()
        self.served = 0
        self.faults: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = self.read(head)
                try:
                    await (read_chunked(reader) if fields.chunked else reader.readexactly(fields.content_length))
                except asyncio.IncompleteReadError:
                    return  # refused half-way: no request at all
                self.served += 1
                body = b"" if head.startswith(b"HEAD") else b"ok"
                writer.write(b"HTTP/1.1 200 OK\r\nX-Served: %d\r\nContent-Length: 2\r\n\r\n%b" % (self.served, body))
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self.faults.append(f"left over: {error.partial!r}")
        except Exception as error:
            self.faults.append(repr(error))
        finally:
            writer.close()

    def read(self, head: bytes) -> Any:
        request = self.parser.parse(head[:-2])
        assert request.path.startswith("/any"), request.path
        fields = request.fields
        unwanted = {b"connection", b"upgrade", b"expect", b"te", b"trailer"} & set(fields.values)
        assert not unwanted, unwanted
        assert not fields.repeated & {b"host", b"content-length", b"x-forwarded-for", b"x-request-id"}
        assert not any(b"_" in name and name.replace(b"_", b"-") in {b"content-length"} for name in fields.values)
        return fields


async def test_a_shard_gets_one_plain_request_for_each_that_was_accepted(start_gateway: Any) -> None:
    shard = RecordingShard()
    server = await asyncio.start_server(shard.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = await start_gateway({"shards": {"one": url}, "rules": RULES})
    chance = random.Random(SEED)
    accepted = 0
    for number in range(CASES):
        data = mutated(chance)
        before = shard.served
        received = await conversation(gateway.port, data, cut=chance.randrange(len(data)) if number % 2 else 0)
        assert shard.faults == [], (number, data)
        if received is None:
            continue
        answered = received.count(b"X-Served: ")
        accepted += answered
        assert shard.served - before == answered, (number, data, received)
        assert not received.endswith(b"no end"), (number, data, received)
        assert received.count(b"HTTP/1.1 ") <= data.count(b"HTTP/1.") + 1 + data.count(b"100-continue"), (number, data)
    server.close()
    assert CASES / 2 < accepted < CASES * 2, "the mutations are too mild, or too wild, to say anything"


async def conversation(port: int, data: bytes, *, cut: int) -> bytes | None:
    """Send all, in one piece or in two, say that this was all, and read to the end; None if the gateway was quicker."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if cut:
            writer.write(data[:cut])
            await one_turn()
        writer.write(data[cut:])
        writer.write_eof()
        received = b""
        try:
            async with asyncio.timeout(20):
                while piece := await reader.read(65536):
                    received += piece
        except TimeoutError:
            received += b" and no end"
        return received
    except OSError:
        return None
    finally:
        writer.close()
