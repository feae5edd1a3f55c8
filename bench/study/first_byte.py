"""Keeps some connections busy with one request each, and times the first byte of every reply."""

import asyncio
import re
import time
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Timing:
    """What was seen: seconds to the first byte of each reply, and how long it all took."""

    def __init__(self, first_bytes: list[float], took_s: float) -> None:
        self._sorted = sorted(first_bytes)
        self.per_s = len(first_bytes) / took_s

    def first_byte_ms(self, percent: float) -> float:
        """A percentile."""
        return self._sorted[int(len(self._sorted) * percent / 100)] * 1000


async def timed(url: str, target: str, token: str, *, connections: int, seconds: float) -> Timing:
    """Ask for one target again and again. Raises RuntimeError at a reply that is no 200."""
    request = f"GET {target} HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\n"
    request += f"User-Agent: partner-sync/4.2\r\nAuthorization: Bearer {token}\r\n\r\n"
    times: list[float] = []
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(_ask(url, request.encode(), until, times) for _ in range(connections)))
    return Timing(times, time.perf_counter() - began)


async def _ask(url: str, request: bytes, until: float, times: list[float]) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        while (sent_at := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.read(1)
            times.append(time.perf_counter() - sent_at)
            head += await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise RuntimeError(f"{url} answered {head[:200]!r}")
            await reader.readexactly(int(length[1]))
    finally:
        writer.close()
