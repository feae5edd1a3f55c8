"""A load generator that costs little: keeps N connections busy with one request each, counts replies, times first
bytes."""

import argparse
import asyncio
import time

import msgspec
import uvloop

HEADERS = (
    b"Host: api.example.com\r\nUser-Agent: partner-sync/4.2 (linux; x86_64)\r\nAccept: application/json\r\n"
    b"Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.8\r\n"
    b"Authorization: Bearer "
    b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXRwbGFjZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\r\n"
    b"Cache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n"
)


class Client(asyncio.Protocol):
    """Sends the next request as soon as a reply is whole."""

    def __init__(self, request: bytes, times: list[float]) -> None:
        self._request = request
        self._times = times
        self._missing = 0
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.send()

    def send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            if not self._buffer:
                self._times.append(time.perf_counter() - self._sent_at)
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                raise SystemExit(self._buffer[:300])
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            self._missing = length + end + 4 - len(self._buffer)
            self._buffer = b""
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self.send()


async def main() -> None:
    """Run for some seconds, print JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--target", required=True)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--seconds", type=float, default=5)
    given = options.parse_args()
    loop = asyncio.get_running_loop()
    request = b"GET " + given.target.encode() + b" HTTP/1.1\r\n" + HEADERS
    times: list[float] = []
    for _ in range(given.connections):
        await loop.create_connection(lambda: Client(request, times), "127.0.0.1", given.port)
    began = time.perf_counter()
    await asyncio.sleep(given.seconds)
    took = time.perf_counter() - began
    times.sort()
    quantiles = {f"p{q}_us": round(times[int(len(times) * q / 100)] * 1e6, 1) for q in (50, 99)}
    print(msgspec.json.encode({"requests": len(times), "per_s": round(len(times) / took), **quantiles}).decode())


if __name__ == "__main__":
    uvloop.run(main())
