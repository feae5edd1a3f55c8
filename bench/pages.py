"""`make bench-pages`: what a page costs, however deep, over 2 to 16 shards: rounds, rows, and time beside page one.

Shards are small real servers that cut their rows out of memory; the gateway is a process of its own. A page is
compared with the sorted whole. Beside it stands the plain way: to ask each shard for all rows up to its end. A page and
page one are asked in turns, so that both meet the same machine.
"""

import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import yaml

ROWS, LIMIT, REPEATS = 33_000, 20, 15
OFFSETS = (0, 100, 3_000, 30_000)
SHARDS = (2, 4, 8, 16)
# At the deepest offset, over 8 shards.
BOUND_SHARDS, ROUNDS_MAX, ROWS_MAX, RATIO_MAX = 8, 5, 2000, 6.0


class Cost(NamedTuple):
    """What a page cost."""

    rows: int
    """That the shards were asked for."""
    rounds: int
    wrong: int
    page_s: float
    page_one_s: float

    @property
    def ratio(self) -> float:
        """Its time by that of page one."""
        return self.page_s / self.page_one_s

    @property
    def kept(self) -> bool:
        """Whether it is within the bounds."""
        return self.rounds <= ROUNDS_MAX and self.rows <= ROWS_MAX and self.ratio <= RATIO_MAX


class Shard(asyncio.Protocol):
    """Serves slices of its rows, and counts what it is asked."""

    asked: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, rows: Sequence[bytes]) -> None:
        self._rows = rows
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The gateway has come."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Each head is a request."""
        *heads, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for head in heads:
            query = dict(parse_qsl(urlsplit(head.split(b" ")[1].decode()).query))
            start, count = int(query.get("offset", 0)), int(query["limit"])
            Shard.asked.append((start, count))
            body = b"[%b]" % b",".join(self._rows[start : start + count])
            reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            self._transport.write(reply % (len(body), body))  # type: ignore[attr-defined]


def main() -> None:
    """Measure all, print a table and the line that sums it up."""
    asyncio.run(_main())


async def _main() -> None:
    print(
        f"{'shards':>6}{'offset':>8}{'rounds':>8}{'rows':>8}{'plain rows':>12}{'ms':>8}{'plain ms':>10}{'x page 1':>10}"
    )
    costs: list[Cost] = []
    kept = True
    for count in SHARDS:
        async with _Cluster(count) as cluster:
            for offset in OFFSETS:
                cost = await cluster.page(offset)
                plain_s = await cluster.plain(offset)
                costs.append(cost)
                if (count, offset) == (BOUND_SHARDS, OFFSETS[-1]):
                    kept = cost.kept
                read = f"{count:6}{offset:8}{cost.rounds:8}{cost.rows:8}{count * (offset + LIMIT):12}"
                print(f"{read}{cost.page_s * 1000:8.1f}{plain_s * 1000:10.1f}{cost.ratio:10.1f}", flush=True)
    wrong, rounds, ratio = sum(c.wrong for c in costs), max(c.rounds for c in costs), max(c.ratio for c in costs)
    pages = f"pages: {len(costs) * REPEATS} pages, {wrong} wrong"
    print(f"{pages}, worst {rounds} rounds, worst {ratio:.1f} times page one")
    sys.exit(0 if kept and not wrong else 1)


class _Cluster:
    """Some shards with the rows divided by chance, and a gateway."""

    def __init__(self, count: int) -> None:
        self._count = count
        chance = random.Random(count)
        names = sorted({f"Tour {chance.randrange(10**9):09d} of the old town" for _ in range(ROWS)})
        everything = [
            {"id": f"{n:032x}", "name": name, "price": chance.randrange(10**5)} for n, name in enumerate(names)
        ]
        self._everything = everything
        self._shards: list[list[bytes]] = [[] for _ in range(count)]
        for row in everything:
            self._shards[chance.randrange(count)].append(msgspec.json.encode(row))
        self._folder = tempfile.TemporaryDirectory()
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> "_Cluster":
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_server(lambda rows=rows: Shard(rows), "127.0.0.1", 0)  # type: ignore[misc]
            for rows in self._shards
        ]
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        config = Path(self._folder.name) / "shardgate.yaml"
        dialect = {"kind": "offset", "limit_default": 100_000}
        merge = {"kind": "list", "dialect": dialect, "keys": {"id": "text", "name": "text", "price": "number"}}
        rules = {"GET /events": {"rule": "gather", "merge": merge}}
        shards = {f"s{n}": f"http://127.0.0.1:{port}" for n, port in enumerate(ports)}
        config.write_text(yaml.safe_dump({"listen": "127.0.0.1:0", "workers": 1, "shards": shards, "rules": rules}))
        command = [sys.executable, "-m", "shardgate", "serve", "-c", str(config)]
        self._process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        ready = re.search(rb"http://\S+", await self._process.stdout.readline())
        assert ready is not None
        self._client = httpx.AsyncClient(base_url=ready[0].decode(), timeout=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        self._process.terminate()
        await self._process.wait()
        for server in self._servers:
            server.close()
        self._folder.cleanup()

    async def page(self, offset: int) -> Cost:
        """Ask for a page and for page one in turns; the median times."""
        pages, firsts = [], []
        wrong = rows = rounds = 0
        for _ in range(REPEATS):
            _, first_s = await self._timed(0)
            Shard.asked.clear()
            answer, took_s = await self._timed(offset)
            rows, rounds = sum(count for _, count in Shard.asked), -(-len(Shard.asked) // self._count)
            wrong += answer != self._everything[offset : offset + LIMIT]
            pages.append(took_s)
            firsts.append(first_s)
        return Cost(rows, rounds, wrong, median(pages), median(firsts))

    async def _timed(self, offset: int) -> tuple[object, float]:
        began = time.perf_counter()
        answer = await self._client.get(f"/events?order=name&limit={LIMIT}&offset={offset}")
        return answer.json(), time.perf_counter() - began

    async def plain(self, offset: int) -> float:
        """The time to read all up to the end of the page."""
        return await self._time(f"/events?order=name&limit={offset + LIMIT}")

    async def _time(self, url: str) -> float:
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            (await self._client.get(url)).raise_for_status()
            times.append(time.perf_counter() - began)
        return median(times)


if __name__ == "__main__":
    main()
