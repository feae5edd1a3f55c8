"""`make bench-pages`: what a page costs the shards, however deep, over 2 to 16 shards: rounds, calls, rows, and time.

Shards are small real servers that cut their rows out of memory; the gateway is a process of its own. Every page is
compared with the sorted whole. For each number of shards, each way in which rows are divided and each order:

- cold: a gateway that has just been started is asked for pages in any order, each of them far from the others;
- again: the same gateway is asked for other pages of the same list, which lie between those;
- walk: the next page of each.

A page and page one are timed in turns, so that both meet the same machine. What is judged is what is divided by a hash
and sorted by ids, numbers, times and codes; other orders and other divisions are shown beside.
"""

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import ClassVar, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import yaml

ROWS, LIMIT = 33_000, 20
COLD: Final = (1_000, 5_000, 12_000, 20_000, 30_000)
AGAIN: Final = (3_100, 8_700, 16_400, 25_100)
SHARDS: Final = (2, 3, 4, 8, 16)
# So long after the last call of a round the shards reply.
QUIET_S: Final = 0.01
# What a page may cost each shard where rows are divided by a hash. Rows: times the page's own.
ROUNDS_MAX, CALLS_MAX, ROWS_MAX, RATIO_MAX = 2, 3, 3.0, 6.0
# A stretch of rows is cut short of its usual width only so far that a third round stays rare; so few pages need more.
ROWS_OVER_MAX = 1.5

Row = dict[str, str | int]


class Cost(NamedTuple):
    """What one page cost."""

    rounds: int
    calls: int
    """Of the shard with the most."""
    rows: int
    """That this shard was asked for, at most."""
    is_wrong: bool
    took_s: float
    page_one_s: float


class Shard(asyncio.Protocol):
    """Serves slices of its rows, and counts what it is asked.

    All shards reply together, once no call has come for some milliseconds: so the rounds can be counted, and each takes
    about the time that it takes over a network.
    """

    asked: ClassVar[list[tuple[int, int]]] = []
    """The shard, and how many rows it was asked for."""
    rounds: ClassVar[int] = 0
    _waiting: ClassVar[list[tuple[asyncio.BaseTransport, bytes]]] = []
    _timer: ClassVar[asyncio.TimerHandle | None] = None

    def __init__(self, number: int, lists: Mapping[str, Sequence[bytes]]) -> None:
        self._number = number
        self._lists = lists
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
            Shard.asked.append((self._number, count))
            body = b"[%b]" % b",".join(self._lists[query["order"]][start : start + count])
            reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            Shard._waiting.append((self._transport, reply % (len(body), body)))
        if Shard._timer is not None:
            Shard._timer.cancel()
        Shard._timer = asyncio.get_running_loop().call_later(QUIET_S, Shard._reply)

    @classmethod
    def _reply(cls) -> None:
        cls.rounds += 1
        for transport, reply in cls._waiting:
            transport.write(reply)  # type: ignore[attr-defined]
        cls._waiting.clear()


def main() -> None:
    """Measure all, print a table and the line that sums it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the rows and of their division")
    parser.add_argument("--limit", type=int, default=LIMIT, help="rows of a page")
    asyncio.run(_main(parser.parse_args()))


def by_hash(chance: random.Random, count: int) -> Callable[[Row], int]:
    """Each row on any shard."""
    return lambda _: chance.randrange(count)


def by_range(_: random.Random, count: int) -> Callable[[Row], int]:
    """The rows in the order of their ids, a part of them on each shard."""
    return lambda row: int(str(row["id"])[:6], 16) * count // 16**6


def mostly_one(chance: random.Random, count: int) -> Callable[[Row], int]:
    """Nine of ten rows on one shard."""
    return lambda _: 0 if chance.random() < 0.9 else chance.randrange(count)


JUDGED: Final = ("id", "price", "created", "code")
WAYS: Final = (
    ("hash", by_hash, SHARDS, (*JUDGED, "name")),
    ("mostly one", mostly_one, (3, 8), ("id",)),
    ("range", by_range, (3, 8), ("id",)),
)


async def _main(options: argparse.Namespace) -> None:
    print(
        f"{'cut':<11}{'shards':>6} {'order':<8}{'pages':<6}{'rounds':>7}{'calls':>7}{'rows':>7}{'ms':>7}{'x page 1':>9}"
    )
    judged: list[Cost] = []
    everything: list[Cost] = []
    for cut, divide, counts, orders in WAYS:
        for count in counts:
            async with _Cluster(count, divide, options.seed, options.limit) as cluster:
                for order in orders:
                    cold = [await cluster.page(order, offset) for offset in COLD]
                    again = [await cluster.page(order, offset) for offset in AGAIN]
                    walk = [await cluster.page(order, offset + options.limit) for offset in AGAIN]
                    for pages, costs in (("cold", cold), ("again", again), ("walk", walk)):
                        _show(f"{cut:<11}{count:>6} {order:<8}{pages:<6}", costs)
                        everything += costs
                        judged += costs if cut == "hash" and order in JUDGED else ()
    sys.exit(0 if _judge(judged, everything, options.limit) else 1)


def _show(name: str, costs: Sequence[Cost]) -> None:
    rounds, calls, rows = (max(each[n] for each in costs) for n in range(3))
    ratio = median(cost.took_s / cost.page_one_s for cost in costs)
    print(
        f"{name}{rounds:>7}{calls:>7}{rows:>7}{median(c.took_s for c in costs) * 1000:>7.1f}{ratio:>9.1f}", flush=True
    )


def _judge(judged: Sequence[Cost], everything: Sequence[Cost], limit: int) -> bool:
    """Print the line that sums it up, and say whether all is within the bounds."""
    wrong = sum(cost.is_wrong for cost in everything)
    rounds, calls, rows = (max(cost[n] for cost in judged) for n in range(3))
    usual = sorted(cost.rows for cost in judged)[len(judged) * 95 // 100]
    ratio = median(cost.took_s / cost.page_one_s for cost in judged)
    print(
        f"pages: {len(everything)} pages, {wrong} wrong, worst {rounds} rounds, worst {calls} calls a shard, "
        f"95 % within {usual / limit:.1f} times its rows a shard, worst {rows / limit:.1f} times ({len(judged)} pages "
        f"of lists cut by hash); median {ratio:.1f} times page one"
    )
    within = rounds <= ROUNDS_MAX and calls <= CALLS_MAX and usual <= ROWS_MAX * limit
    return not wrong and within and rows <= ROWS_MAX * ROWS_OVER_MAX * limit and ratio <= RATIO_MAX


class _Cluster:
    """Some shards with the rows divided among them, and a gateway."""

    def __init__(
        self, count: int, divide: Callable[[random.Random, int], Callable[[Row], int]], seed: int, limit: int
    ) -> None:
        self._count = count
        self._limit = limit
        chance = random.Random(seed * 100 + count)
        rows = _rows(chance)
        place = divide(chance, count)
        divided: list[list[Row]] = [[] for _ in range(count)]
        for row in rows:
            divided[place(row)].append(row)
        self._whole = {order: sorted(rows, key=lambda row: (row[order], row["id"])) for order in _ORDERS}
        self._shards = [
            {
                order: [msgspec.json.encode(row) for row in sorted(part, key=lambda row: (row[order], row["id"]))]
                for order in _ORDERS
            }
            for part in divided
        ]
        self._folder = tempfile.TemporaryDirectory()
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> "_Cluster":
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_server(lambda n=n, lists=lists: Shard(n, lists), "127.0.0.1", 0)  # type: ignore[misc]
            for n, lists in enumerate(self._shards)
        ]
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        config = Path(self._folder.name) / "shardgate.yaml"
        dialect = {"kind": "offset", "limit_default": 100_000}
        keys = {order: "number" if order == "price" else "text" for order in _ORDERS}
        merge = {"kind": "list", "dialect": dialect, "keys": keys}
        rules = {"GET /events": {"rule": "gather", "merge": merge}}
        shards = {f"s{n}": f"http://127.0.0.1:{port}" for n, port in enumerate(ports)}
        config.write_text(yaml.safe_dump({"listen": "127.0.0.1:0", "workers": 1, "shards": shards, "rules": rules}))
        command = [sys.executable, "-m", "shardgate", "serve", "-c", str(config)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
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

    async def page(self, order: str, offset: int) -> Cost:
        """Ask for page one, and then for a page."""
        _, page_one_s = await self._timed(order, 0)
        Shard.asked.clear()
        Shard.rounds = 0
        answer, took_s = await self._timed(order, offset)
        calls, rows = Counter[int](), Counter[int]()
        for shard, count in Shard.asked:
            calls[shard] += 1
            rows[shard] += count
        is_wrong = answer != self._whole[order][offset : offset + self._limit]
        return Cost(Shard.rounds, max(calls.values()), max(rows.values()), is_wrong, took_s, page_one_s)

    async def _timed(self, order: str, offset: int) -> tuple[object, float]:
        began = time.perf_counter()
        answer = await self._client.get(f"/events?order={order}&limit={self._limit}&offset={offset}")
        return answer.json(), time.perf_counter() - began


_ORDERS: Final = (*JUDGED, "name")
_PLACES: Final = (
    "Alster",
    "Bergen",
    "Brno",
    "Cadiz",
    "Delft",
    "Gent",
    "Genua",
    "Lyon",
    "Oslo",
    "Porto",
    "Riga",
    "Turku",
)
_KINDS: Final = ("boat trip", "by night", "castle and gardens", "food tour", "for children", "museum", "old town")


def _rows(chance: random.Random) -> list[Row]:
    """Rows with a random id and code, a price of many, a time, and a name of few words."""
    ids = sorted({f"{chance.randrange(16**12):012x}" for _ in range(ROWS)})
    return [
        {
            "id": id_,
            "price": chance.randrange(10**6),
            "created": f"{2020 + chance.randrange(6)}-{1 + chance.randrange(12):02}-{1 + chance.randrange(28):02}"
            f"T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}Z",
            "code": "BK-" + "".join(chance.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=8)),
            "name": f"{chance.choice(_PLACES)} {chance.choice(_KINDS)}",
        }
        for id_ in ids
    ]


if __name__ == "__main__":
    main()
