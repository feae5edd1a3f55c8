"""`make bench-catalogue`: the whole catalogue, 33,000 events, in one call through the gateway.

Beside it stand the monolith, and the shards asked all at once, as the gateway asks them. All processes share this
machine, so that single times say little: medians are compared. Memory is the most that any call took, the first among
them: later ones find what it left. A HEAD is merged whole, as lists in objects are: it shows what that holds the loop.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median

import msgspec

from bench.processes import memory_peak_bytes, reset_peak
from proof.data import prepare
from proof.fleet import Fleet, Server
from tools.ports import reserved_port

SCALE, SHARDS, RUNS, AT_ONCE = 1.0, 3, 9, 20
TARGET = "/v3/events"
HELD_S_MAX, TTFB_MAX, MEMORY_MAX = 0.010, 1.15, 3.0
_MS = 1000


class Answer(msgspec.Struct, frozen=True):
    """How one call went."""

    status: int
    first_s: float
    """Until the first byte of the head."""
    last_s: float
    size: int
    """Of the body, framing included."""


class Run(msgspec.Struct, frozen=True):
    """One round of all that is compared."""

    monolith: Answer
    slowest: Answer
    gateway: Answer
    memory_bytes: int
    held_s: float


def main() -> None:
    """Measure all, and print the line that sums it up."""
    data = prepare(SCALE, SHARDS)
    with tempfile.TemporaryDirectory(prefix="shardgate-catalogue-") as temporary:
        folder = Path(temporary)
        fleet = Fleet(data.copy(folder / "data"), folder)
        port = reserved_port()
        command = [sys.executable, "-m", "bench.watched", str(fleet.config), str(port)]
        fleet.gateway = Server(command, folder / "gateway.log")
        with fleet:
            sys.exit(asyncio.run(_measured(fleet, port)))


async def _measured(fleet: Fleet, watch: int) -> int:
    """The exit code: 1 where a bound is not kept."""
    with fleet.client(fleet.monolith) as client:
        monolith, same = fleet.token, client.get(TARGET).content
    with fleet.client(fleet.gateway) as client:
        token = fleet.token
        client.get(f"{TARGET}?limit=100").raise_for_status()
        before = _peak_from_here([fleet.gateway.pid])
        wrong = client.get(TARGET).content != same
        first_bytes = memory_peak_bytes([fleet.gateway.pid]) - before
    tokens = {"monolith": monolith, "gateway": token}
    print(f"{len(same) / 1e6:.1f} MB over {len(fleet.shards)} shards, {'WRONG' if wrong else 'the same bytes'}")
    print(f"{'monolith':>17}{'slowest shard':>19}{'gateway':>18}    memory    loop held")
    runs = []
    for _ in range(RUNS):
        run = await _run(fleet, tokens, watch)
        runs.append(run)
        times = "".join(f"{_times(answer):>18}" for answer in (run.monolith, run.slowest, run.gateway))
        print(f"{times}{run.memory_bytes / len(same):9.2f} x{run.held_s * _MS:9.1f} ms")
    whole_s = await _held_by(watch, _call(fleet.gateway.url, token, "HEAD"))
    print(f"merged whole (HEAD): the loop is held for {whole_s * _MS:.1f} ms")
    survived = await _many(fleet, token, watch, len(same))
    first_s = median(run.gateway.first_s for run in runs)
    ttfb = first_s / median(run.slowest.last_s for run in runs)
    beside = first_s / median(run.monolith.first_s for run in runs)
    memory = max(first_bytes, *(run.memory_bytes for run in runs)) / len(same)
    held_s = max(run.held_s for run in runs)
    print(f"the loop is held for {held_s * _MS:.1f} ms at most, in {RUNS} calls")
    beside_both = f"ttfb {ttfb:.2f} of the slowest shard, {beside:.2f} of the monolith"
    print(f"catalogue: {beside_both}, memory {memory:.2f} of the reply")
    kept = ttfb <= TTFB_MAX and memory <= MEMORY_MAX and held_s <= HELD_S_MAX and survived and not wrong
    return 0 if kept else 1


async def _run(fleet: Fleet, tokens: dict[str, str], watch: int) -> Run:
    monolith = await _call(fleet.monolith.url, tokens["monolith"])
    shards = await asyncio.gather(*(_call(shard.url, tokens["gateway"]) for shard in fleet.shards.values()))
    slowest = max(shards, key=lambda answer: answer.last_s)
    pids = [fleet.gateway.pid]
    before = _peak_from_here(pids)
    await _held(watch)
    gateway = await _call(fleet.gateway.url, tokens["gateway"])
    return Run(monolith, slowest, gateway, memory_peak_bytes(pids) - before, await _held(watch))


async def _many(fleet: Fleet, token: str, watch: int, size: int) -> bool:
    """Whether many at once are all answered, with the whole catalogue."""
    pids = [fleet.gateway.pid]
    before = _peak_from_here(pids)
    await _held(watch)
    answers = await asyncio.gather(*(_call(fleet.gateway.url, token) for _ in range(AT_ONCE)))
    grown = memory_peak_bytes(pids) - before
    good = sum(answer.status == 200 and answer.size > size for answer in answers)
    took_s = max(answer.last_s for answer in answers)
    print(
        f"{AT_ONCE} at once: {good} whole in {took_s:.1f} s, memory {grown / size:.2f} of one reply, "
        f"the loop is held for {await _held(watch) * _MS:.1f} ms"
    )
    return good == AT_ONCE


async def _call(url: str, token: str, method: str = "GET") -> Answer:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024 * 1024)
    began = time.perf_counter()
    lines = [f"{method} {TARGET} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}", "Connection: close"]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    first_s = time.perf_counter() - began
    size = 0
    while piece := await reader.read(1024 * 1024):
        size += len(piece)
    writer.close()
    return Answer(int(head.split(b" ")[1]), first_s, time.perf_counter() - began, size)


async def _held_by(watch: int, call: Awaitable[Answer]) -> float:
    await _held(watch)
    await call
    return await _held(watch)


async def _held(watch: int) -> float:
    """The longest that the gateway's loop was held since the last time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", watch)
    longest_s = float(await reader.read())
    writer.close()
    return longest_s


def _peak_from_here(pids: list[int]) -> int:
    reset_peak(pids)
    return memory_peak_bytes(pids)


def _times(answer: Answer) -> str:
    return f"{answer.first_s * _MS:.0f} - {answer.last_s * _MS:.0f} ms"


if __name__ == "__main__":
    main()
