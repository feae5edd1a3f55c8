"""A shard that costs next to nothing: answers every request at once with a reply made beforehand."""

import argparse
import asyncio
from functools import partial

import msgspec
import uvloop


def keyed_reply(size: int) -> bytes:
    """A detail reply of so many bytes."""
    body = msgspec.json.encode({"id": "0" * 32, "text": "x" * (size - 50)})
    return head(len(body)) + body


def list_reply(rows: int, shard: int) -> bytes:
    """A sorted list of realistic rows."""
    items = [
        {
            "id": f"{n * 7 + shard:032x}",
            "name": f"Walking tour {n:04d} of the old town, {shard}",
            "vendor_id": f"{shard:032x}",
            "city": "Lisboa",
            "price": 4500 + n,
            "currency": "EUR",
            "rating": 4.5,
            "description": "A guided walk through the old town with a tasting at the end. " * 2,
            "updated_at": "2026-05-01T10:00:00Z",
        }
        for n in range(rows)
    ]
    body = msgspec.json.encode(items)
    return head(len(body)) + body


def head(length: int) -> bytes:
    """What a common application server writes."""
    return (
        b"HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 17:00:00 GMT\r\nserver: uvicorn\r\n"
        b"content-type: application/json\r\nx-total_count: 1000\r\ncontent-length: %d\r\n\r\n" % length
    )


class Stub(asyncio.Protocol):
    """Counts the ends of heads; each is a request."""

    def __init__(self, reply: bytes, listed: bytes) -> None:
        self._reply = reply
        self._listed = listed
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        *whole, self._buffer = data.split(b"\r\n\r\n")
        for request in whole:
            self._transport.write(self._listed if request.startswith(b"GET /v3/events?") else self._reply)  # type: ignore[attr-defined]


async def main() -> None:
    """Serve several shards in one process, on consecutive ports."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--shards", type=int, default=4)
    options.add_argument("--rows", type=int, default=10)
    options.add_argument("--size", type=int, default=880)
    given = options.parse_args()
    loop = asyncio.get_running_loop()
    for shard in range(given.shards):
        reply, listed = keyed_reply(given.size), list_reply(given.rows, shard)
        await loop.create_server(partial(Stub, reply, listed), "127.0.0.1", given.port + shard)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
