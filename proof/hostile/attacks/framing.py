"""Bytes on a connection: pieces, drips, floods, lengths that lie, and clients that leave."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

from proof.hostile.asking import Message, ask, request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.stage import Stage

_LAST = b"GET /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_POST = b"POST /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
_PUT = b"PUT /things/n-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_MILLION = 1_000_000


def _asks(
    *messages: Callable[[], Message], within_s: float = 15.0, slow: bool = False, half_close: bool = False
) -> Attack:
    async def run(stage: Stage) -> Outcome:
        asked = (stage.ask(message(), within_s=within_s, half_close=half_close) for message in messages)
        return told(await asyncio.gather(*asked))

    return Attack("", run, slow=slow)


def _raw(data: bytes) -> Callable[[], bytes]:
    return lambda: data


async def _drip(data: bytes, pause_s: float, size: int = 1) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]
        await asyncio.sleep(pause_s)


async def _endless(head: bytes, piece: bytes, pieces: int = 100_000) -> AsyncIterator[bytes]:
    yield head
    for _ in range(pieces):
        yield piece


async def _stopping(data: bytes) -> AsyncIterator[bytes]:
    yield data
    await asyncio.Event().wait()


def _dripped(data: bytes, pause_s: float) -> Callable[[], Message]:
    return lambda: _drip(data, pause_s)


def _chunks(count: int, size: int = 1) -> bytes:
    return (b"%x\r\n" % size + b"x" * size + b"\r\n") * count + b"0\r\n\r\n"


def _json_chunks(count: int) -> bytes:
    return b"12\r\n" + b'{"id":"n-1","a":"x' + b"\r\n" + b"1\r\nx\r\n" * count + b'2\r\n"}\r\n0\r\n\r\n'


FRAMING: dict[str, Attack] = {
    "16 MB in chunks of one byte, held": _asks(_raw(_POST + _CHUNKED + _json_chunks(16_000_000))),
    "1 MB in chunks of one byte, held": _asks(_raw(_POST + _CHUNKED + _json_chunks(_MILLION))),
    "16 MB in chunks of one byte, streamed": _asks(_raw(_PUT + _CHUNKED + _chunks(16_000_000))),
    "chunks with extensions": _asks(
        _raw(_PUT + _CHUNKED + (b"1;" + b"a" * 200 + b"\r\nx\r\n") * 50_000 + b"0\r\n\r\n")
    ),
    "chunk extensions in odd forms": _asks(
        *(
            _raw(_PUT + _CHUNKED + size + b"\r\nx\r\n0\r\n\r\n")
            for size in (b"1;", b"1;=", b"1 ;a", b'1;a="', b"0001", b"+1", b"0x1", b"1_0", b"-1")
        )
    ),
    "chunk size without end": _asks(lambda: _endless(_PUT + _CHUNKED, b"0" * 65536)),
    "chunk size beyond all": _asks(
        _raw(_PUT + _CHUNKED + b"f" * 200 + b"\r\n"), _raw(_PUT + _CHUNKED + b"7fffffffffffffff\r\nx")
    ),
    "zeros before a chunk size": _asks(_raw(_PUT + _CHUNKED + b"0" * 200 + b"1\r\nx\r\n0\r\n\r\n")),
    "trailers of 30 KB": _asks(
        _raw(_PUT + _CHUNKED + b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 90 + b"Y: " + b"z" * 30_000 + b"\r\n\r\n")
    ),
    "trailers without end": _asks(
        lambda: _endless(_PUT + _CHUNKED + b"1\r\nx\r\n0\r\n", b"X-T: yyyyyyyyyyyy\r\n" * 4000)
    ),
    "a body beyond the bound, held": _asks(
        lambda: _endless(_POST + _CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n", 1000)
    ),
    "a length beyond the bound, held": _asks(_raw(_POST + b"Content-Length: 999999999999\r\n\r\n{")),
    "a length of 5,000 digits": _asks(_raw(_POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{")),
    "a body that never comes, held": _asks(lambda: _stopping(_POST + b"Content-Length: 100000\r\n\r\n{")),
    "a body that never comes, streamed": _asks(lambda: _stopping(_PUT + b"Content-Length: 100000\r\n\r\n{")),
    "a chunked body that never ends": _asks(lambda: _stopping(_PUT + _CHUNKED + b"5\r\nab")),
    "a head that never ends": _asks(lambda: _stopping(b"GET /any HTTP/1.1\r\nHost: a\r\nX-Y: ")),
    "a request line without end": _asks(lambda: _endless(b"GET /", b"a" * 65536)),
    "white lines before the request": _asks(_raw(b"\r\n" * 200_000 + _LAST)),
    "no HTTP at all": _asks(
        *(
            _raw(data)
            for data in (
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
                b"\0" * 99_999,
                b"SSH-2.0-x\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            )
        )
    ),
    "a head in single bytes": _asks(_dripped(request("GET", "/things/n-1", *(f"X-{n}: y" for n in range(80))), 0.001)),
    "a body in single bytes, held": _asks(
        _dripped(_POST + b"Content-Length: 1012\r\n\r\n" + b'{"id":"n-1"}' + b" " * 1000, 0.002)
    ),
    "a body in single bytes, streamed": _asks(_dripped(_PUT + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, 0.002)),
    "a byte every second": _asks(
        _dripped(_PUT + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000, 1.0),
        _dripped(_LAST, 1.0),
        within_s=30.0,
        slow=True,
    ),
    "Expect, and no body": _asks(
        lambda: _stopping(_POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
        lambda: _stopping(_PUT + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
        _raw(_PUT + b"Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
    ),
    "upgrades": _asks(
        *(
            _raw(b"GET /things/n-1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: %b\r\n\r\n" % text)
            for text in (b"h2c", b"websocket", b"websocket, h2c", b"TLS/1.0", b",,,", b"a/b/c")
        )
    ),
    "CONNECT and other methods": _asks(
        *(
            _raw(b"%b %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % pair)
            for pair in (
                (b"CONNECT", b"a:1"),
                (b"TRACE", b"/any"),
                (b"OPTIONS", b"*"),
                (b"A" * 9000, b"/any"),
                (b"GET", b"http://127.0.0.1:22/any"),
            )
        )
    ),
    "half closed behind a request": _asks(_raw(b"GET /list HTTP/1.1\r\nHost: a\r\n\r\n"), half_close=True),
    "half closed in a head": _asks(_raw(b"GET /any HTTP/1.1\r\nHo"), half_close=True),
    "half closed in a body": _asks(
        _raw(_PUT + b"Content-Length: 50\r\n\r\nx"), _raw(_POST + _CHUNKED + b"5\r\nx"), half_close=True
    ),
    "pipelining, 5,000 requests": _asks(_raw(b"GET /things/n-1 HTTP/1.1\r\nHost: a\r\n\r\n" * 5000 + _LAST)),
    "pipelining, 20,000 refusals": _asks(
        _raw(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000 + _LAST), within_s=30.0
    ),
    "pipelining, 300 lists": _asks(_raw(b"GET /list?limit=2 HTTP/1.1\r\nHost: a\r\n\r\n" * 300 + _LAST), within_s=30.0),
}


async def _leaving(stage: Stage, message: bytes, count: int, *, reset: bool) -> Outcome:
    for at in range(0, count, 50):
        writers = []
        for _ in range(min(50, count - at)):
            _, writer = await asyncio.open_connection("127.0.0.1", stage.gateway.port)
            writer.write(message)
            writers.append(writer)
        for writer in writers:
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort() if reset else writer.close()
    return told([await stage.ask(request("GET", "/list?limit=5"))], allowed=(200,))


async def _unread(stage: Stage, message: bytes, count: int) -> Outcome:
    """Clients that ask for much and never read."""
    writers = []
    for _ in range(count):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            raw.connect(("127.0.0.1", stage.gateway.port))
        _, writer = await asyncio.open_connection(sock=raw, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(message)
        writers.append(writer)
    await asyncio.sleep(2.0)
    outcome = told([await stage.ask(request("GET", "/list?limit=5"))], allowed=(200,))
    for writer in writers:
        writer.transport.abort()
    return outcome


async def _idle_connections(stage: Stage) -> Outcome:
    """Thousands of connections that say nothing."""
    opened = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", stage.gateway.port) for _ in range(3000)), return_exceptions=True
    )
    answer = await ask(stage.gateway.port, request("GET", "/any"), within_s=10)
    for each in opened:
        if not isinstance(each, BaseException):
            each[1].transport.abort()
    return told([answer], allowed=(200,))


FRAMING |= {
    "clients that reset in a list": Attack("", lambda stage: _leaving(stage, request("GET", "/list"), 300, reset=True)),
    "clients that close in a list": Attack(
        "", lambda stage: _leaving(stage, request("GET", "/list"), 300, reset=False)
    ),
    "clients that reset in a change": Attack(
        "", lambda stage: _leaving(stage, request("POST", "/everyone", body=b"{}"), 60, reset=True)
    ),
    "clients that reset in a head": Attack("", lambda stage: _leaving(stage, b"GET /any HT", 500, reset=True)),
    "clients that reset in an upload": Attack(
        "", lambda stage: _leaving(stage, _PUT + b"Content-Length: 99999999\r\n\r\nx", 300, reset=True)
    ),
    "clients that never read a list": Attack("", lambda stage: _unread(stage, request("GET", "/list"), 100)),
    "clients that never read a pipeline": Attack(
        "", lambda stage: _unread(stage, b"GET /list HTTP/1.1\r\nHost: a\r\n\r\n" * 200, 20)
    ),
    "3,000 connections that say nothing": Attack("", _idle_connections),
}
