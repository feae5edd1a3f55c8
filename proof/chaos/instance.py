"""One instance of the application, as a process: `python -m proof.chaos.instance NAME ADDRESS PORT FILE`.

A line on its standard input tells it how to answer from then on: `well`, `slow 10`, `drip`, `refuse`, `reset`,
`garbage`, `error`, `unready`; `brownout`, `flaky`: 503 with `Retry-After` each time, or every other time; `gives_up`:
503 without it, every other time; `closes`: it closes each connection after one reply; and what is nearly HTTP:
`chunks`, `colon`, `lengths`, `banner`. It ends with its standard input.

Holds: what is answered 503 with `Retry-After` was not done; what is answered in any other way was. The instances of one
shard have their things in one FILE. What one of them creates is one appended line, so that a process that is stopped or
killed at any instant blocks no other and leaves no half of a change.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import uvloop

SERVICE_S = 0.02
"""What the application takes for a request: as much as one with a database does."""
ROWS = 300
_DRIP_S = 0.1
_CLOSES_S = 0.01
_BANNER = b"220 chaos ready\r\n"
_GARBAGE = os.urandom(256).replace(b"\r\n", b"--") + b"\r\n\r\n"


class Things:
    """What one shard has, in a file that all of its instances append to."""

    def __init__(self, file: Path, instance: str) -> None:
        self._instance = instance
        self._file = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._read_to = 0
        self.kept: set[str] = set()

    def has(self, path: str) -> bool:
        """Whether a thing is there."""
        self._look()
        return path in self.kept

    def make(self, path: str) -> None:
        """Create a thing."""
        os.write(self._file, f"made {path} {self._instance}\n".encode())

    def remove(self, path: str) -> None:
        """Delete a thing."""
        os.write(self._file, f"gone {path} {self._instance}\n".encode())

    def _look(self) -> None:
        data = os.pread(self._file, 1 << 20, self._read_to)
        whole = data[: data.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.decode().splitlines():
            word, path, _ = line.split(" ")
            (self.kept.add if word == "made" else self.kept.discard)(path)


class Instance:
    """How it answers now."""

    def __init__(self, name: str, address: str, things: Things) -> None:
        self.letter = name[0]
        self._address = address
        self._port = 0
        self.things = things
        self.mode = "well"
        self.service_s = SERVICE_S
        self.connections: set[Connection] = set()
        self._asked = 0
        self._server: asyncio.Server | None = None

    async def listen(self, port: int) -> int:
        """Take connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), self._address, port, backlog=512)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def obey(self, words: list[str]) -> None:
        """From now on, answer so."""
        before, self.mode = self.mode, words[0]
        self.service_s = SERVICE_S * (float(words[1]) if words[1:] else 1.0)
        if self.mode == "refuse" and self._server is not None:
            self._server.close()
        if self.mode in {"refuse", "banner"}:
            for connection in [*self.connections]:
                connection.abort()
        if before == "refuse":
            await self.listen(self._port)
        if before == "unready":
            for connection in [*self.connections]:
                connection.say_what_waits()

    def is_busy(self) -> bool:
        """Whether it has too much to do for the request that has just come."""
        return self.mode == "brownout" or (self.mode == "flaky" and self.is_odd())

    def is_odd(self) -> bool:
        """Whether it is one of every other time that this is asked."""
        self._asked += 1
        return self._asked % 2 == 1

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """Do what is asked; the application's reply."""
        parts = urlsplit(target)
        kind = parts.path.split("/")[1]
        if kind == "readyz":
            return reply(b"{}", "503 Service Unavailable" if self.mode == "unready" else "200 OK")
        if method == "GET" and kind == "list":
            return rows(
                self.letter, **{name: int(value) for name, value in parse_qsl(parts.query) if value.isdecimal()}
            )
        if method == "GET" and kind == "things":
            return thing(parts.path.split("/")[2], self.letter)
        there = self.things.has(path := parts.path if method != "POST" else f"{parts.path}/{json.loads(body)['id']}")
        if method == "POST" and not there:
            self.things.make(path)
            return reply(body, "201 Created")
        if method == "DELETE" and there:
            self.things.remove(path)
        if method == "POST":
            return reply(b'{"detail":"taken"}', "409 Conflict")
        return reply(b"{}", "200 OK" if there else "404 Not Found")


class Connection(asyncio.Protocol):
    """One connection of the gateway; one request at a time."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._received = b""
        self._waits: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type
        self._instance.connections.add(self)
        if self._instance.mode == "banner":
            self._transport.write(_BANNER)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._instance.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            _, _, length = head.lower().partition(b"content-length:")
            size = int(length.split(b"\r\n")[0] or 0)
            if len(rest) < size:
                return
            self._received = rest[size:]
            method, target = head.split(b" ", 2)[:2]
            checked = target == b"/readyz"
            busy = not checked and self._instance.is_busy()
            said = _BUSY if busy else self._instance.answer(method.decode(), target.decode(), rest[:size])
            after_s = 0.001 if checked else self._instance.service_s
            asyncio.get_running_loop().call_later(after_s, self._say, said, "well" if checked or busy else "")

    def _say(self, said: bytes, mode: str) -> None:
        if not self._transport.is_closing():
            _WAYS.get(mode or self._instance.mode, Connection.well)(self, said)

    def well(self, said: bytes) -> None:
        """As it should."""
        self._transport.write(said)

    def drip(self, said: bytes) -> None:
        """The head and one byte, then a byte at a time."""
        begin = said.index(b"\r\n\r\n") + 5
        self._transport.write(said[:begin])
        self._drip_on(said, begin)

    def _drip_on(self, said: bytes, at: int) -> None:
        if self._transport.is_closing() or at >= len(said):
            return
        step = len(said) if self._instance.mode != "drip" else 1
        self._transport.write(said[at : at + step])
        asyncio.get_running_loop().call_later(_DRIP_S, self._drip_on, said, at + step)

    def reset(self, said: bytes) -> None:
        """Half of the body, then a reset."""
        end = said.index(b"\r\n\r\n") + 4
        self._transport.write(said[: (end + len(said)) // 2])
        asyncio.get_running_loop().call_later(0.005, self.abort)

    def garbage(self, _: bytes) -> None:
        """What is no HTTP."""
        self._transport.write(_GARBAGE)

    def error(self, _: bytes) -> None:
        """The application's own failure."""
        self._transport.write(reply(b'{"detail":"a defect"}', "500 Internal Server Error"))

    def gives_up(self, said: bytes) -> None:
        """A router in front of it has waited for too long, every other time; what was asked is done."""
        self._transport.write(_GIVEN_UP if self._instance.is_odd() else said)

    def closes(self, said: bytes) -> None:
        """A reply that says nothing of the connection's end, which follows."""
        self._transport.write(said)
        asyncio.get_running_loop().call_later(_CLOSES_S, self._transport.close)

    def chunks(self, said: bytes) -> None:
        """A chunk whose size is no number."""
        body = said[said.index(b"\r\n\r\n") + 4 :]
        self._transport.write(_CHUNKED + b"1z\r\n%b\r\n0\r\n\r\n" % body)

    def colon(self, said: bytes) -> None:
        """A line of the head without a colon."""
        self._transport.write(said.replace(b"\r\n", b"\r\nX-Chaos is here\r\n", 1))

    def lengths(self, said: bytes) -> None:
        """Two lengths that differ."""
        self._transport.write(said.replace(b"\r\n", b"\r\nContent-Length: 3\r\n", 1))

    def unready(self, said: bytes) -> None:
        """Nothing, until it is ready."""
        self._waits = said

    def say_what_waits(self) -> None:
        """It is ready now."""
        if self._waits is not None:
            self._transport.write(self._waits)
            self._waits = None

    def abort(self) -> None:
        """Reset it."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()


_WAYS: dict[str, Callable[[Connection, bytes], None]] = {
    "drip": Connection.drip,
    "reset": Connection.reset,
    "garbage": Connection.garbage,
    "error": Connection.error,
    "unready": Connection.unready,
    "gives_up": Connection.gives_up,
    "closes": Connection.closes,
    "chunks": Connection.chunks,
    "colon": Connection.colon,
    "lengths": Connection.lengths,
}
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def reply(body: bytes, status: str = "200 OK", more: Sequence[str] = ()) -> bytes:
    """A reply in bytes. `more`: lines of its head."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def thing(name: str, letter: str) -> bytes:
    """The reply that shows a thing."""
    return reply(json.dumps({"id": name, "shard": letter}).encode())


_BUSY = reply(b'{"detail":"busy"}', "503 Service Unavailable", ["Retry-After: 1"])
_GIVEN_UP = reply(b'{"detail":"no answer in time"}', "503 Service Unavailable")


@cache
def rows(letter: str, limit: int = ROWS, offset: int = 0) -> bytes:
    """One page of its list."""
    page = [{"id": f"{letter}-{number:05d}", "n": number} for number in range(ROWS)][offset : offset + limit]
    return reply(json.dumps(page, separators=(",", ":")).encode())


async def _serve(name: str, address: str, port: int, file: Path) -> None:
    instance = Instance(name, address, Things(file, name))
    print(await instance.listen(port), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await instance.obey(line.decode().split())


def main() -> None:
    """Serve."""
    name, address, port, file = sys.argv[1:]
    uvloop.run(_serve(name, address, int(port), Path(file)))


if __name__ == "__main__":
    main()
