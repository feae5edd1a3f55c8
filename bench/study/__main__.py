"""`make study`: measures, writes `bench/results/study.json`, and the tables of `docs/study.md` anew.

`QUICK=1`: a small platform, to see that all works; its figures are printed and not kept.
"""

import asyncio
import os
import platform as machine
import random
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import NoReturn

import httpx
import msgspec
from rich.console import Console

from bench.peers import CACHE, MissingError, Peer
from bench.peers.flask_poc import FlaskCopy, FlaskRelay
from bench.peers.roster import GO_RAW
from bench.processes import memory_bytes, tree
from bench.study.lines import lines_of_code
from bench.study.platform import SHARDS, Beside, Platform, platform
from bench.study.report import Cycle, Idle, Report, Served, Staleness
from bench.study.serving import served
from bench.study.staleness import Observer, Vendors
from bench.study.tables import RESULTS, copy_table, served_table, staleness_table, write_tables

PORT = 21_210
COPY = "PoC 1, Flask copy"
GATEWAYS: Mapping[str, Peer] = {"PoC 2, Flask": FlaskRelay(), "PoC 2, Go": GO_RAW}
SEED = 7
_console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Measure all of it."""
    signal.signal(signal.SIGTERM, _unwind)
    signal.signal(signal.SIGHUP, _unwind)
    quick = bool(os.environ.get("QUICK"))
    FlaskCopy().install(CACHE, _say)
    load_before = round(os.getloadavg()[0], 1)
    with platform(0.03 if quick else 1.0) as running:
        report = asyncio.run(_Study(running, load_before, quick=quick).run())
    folder = CACHE / "quick" if quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    for table in (served_table, copy_table, staleness_table):
        print(f"\n{table(folder)}")
    if not quick:
        write_tables()
    print("study: ok")


class _Study:
    """The measurements, in order."""

    def __init__(self, running: Platform, load_before: float, *, quick: bool) -> None:
        self._load_before = load_before
        self._platform = running
        self._quick = quick
        self._chance = random.Random(SEED)
        self._headers = {"Authorization": f"Bearer {running.token}"}

    async def run(self) -> Report:
        async with httpx.AsyncClient(
            headers=self._headers, timeout=60, limits=httpx.Limits(max_connections=64)
        ) as client:
            self._client = client
            self._vendors = Vendors(self._platform.instances, client, self._chance)
            await self._vendors.look()
            events = len(await self._rows(self._platform.monolith))
            _say(f"a full synchronisation of {events:,} events")
            filling = await asyncio.to_thread(self._platform.filled_once, "quiet.db")
            disturbed, deleted = await self._full_while_deleting()
            with self._platform.beside(PORT, 1, 10) as beside:
                staleness = [await self._staleness(beside, 1, 10)]
                idle = await self._idle(beside)
                answers, memory = await self._served(beside)
            if not self._quick:
                with self._platform.beside(PORT + 1, 5, 30) as beside:
                    staleness.append(await self._staleness(beside, 5, 30))
            return Report(
                measured_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                machine=f"{os.cpu_count()} cores, {machine.system()}, Python {machine.python_version()}",
                load_before=self._load_before,
                quick=self._quick,
                events=events,
                shards=SHARDS,
                full=filling.cycles[0],
                scan=filling.cycles[1],
                platform_cpu_s=filling.platform_cpu_s,
                full_while_deleting=disturbed,
                deleted_meanwhile=deleted,
                copy_mib=filling.copy_mib,
                idle=idle,
                staleness=staleness,
                served=answers,
                memory_mib=memory,
                lines=lines_of_code(),
            )

    async def _full_while_deleting(self) -> tuple[Cycle, int]:
        _say("a full synchronisation while vendors delete events")
        doomed = await self._new_events(15 if self._quick else 200)
        filling = asyncio.create_task(asyncio.to_thread(self._platform.filled_once, "disturbed.db"))
        deleted = 0
        for url, id_ in doomed:
            if filling.done():
                break
            await self._vendors.delete(url, id_)
            deleted += 1
        return (await filling).cycles[1], deleted

    async def _staleness(self, beside: Beside, poll_every_s: float, scan_every_s: float) -> Staleness:
        writes, span_s = (6, 5.0) if self._quick else (20, 20.0)
        _say(
            f"{writes} events created, changed, deleted each; polls each {poll_every_s} s, scans each {scan_every_s} s"
        )
        doomed = await self._new_events(writes)
        await asyncio.sleep(2 * poll_every_s + 3)
        readers = {"copy": beside.url, "gateway": self._platform.gateway}
        observer = Observer(self._vendors, readers, self._client)
        await observer.run(writes, span_s, doomed, self._chance)
        after_s = scan_every_s + poll_every_s + 1
        await asyncio.sleep(after_s)
        return Staleness(
            poll_every_s=poll_every_s,
            scan_every_s=scan_every_s,
            copy=observer.lags("copy"),
            gateway=observer.lags("gateway"),
            wrong_after_s=after_s,
            wrong_rows=await self._wrong_rows(beside),
        )

    async def _idle(self, beside: Beside) -> Idle:
        seconds = 5.0 if self._quick else 20.0
        _say(f"{seconds:.0f} s of polling in which nothing changes")
        before, cpu, platform_cpu = len(beside.cycles()), beside.synchroniser_cpu_s(), self._platform.cpu_s()
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        polls = [cycle for cycle in beside.cycles()[before:] if cycle.cycle == "poll"]
        return Idle(
            seconds=time.perf_counter() - began,
            polls=len(polls),
            requests=sum(cycle.requests for cycle in polls),
            copy_cpu_ms_per_poll=(beside.synchroniser_cpu_s() - cpu) / len(polls) * 1000,
            platform_cpu_ms_per_poll=(self._platform.cpu_s() - platform_cpu) / len(polls) * 1000,
        )

    async def _served(self, beside: Beside) -> tuple[list[Served], dict[str, float]]:
        _say("the same lists and events from the monolith, the copy and the gateways")
        ours = {"monolith": self._platform.monolith, COPY: beside.url, "shardgate": self._platform.gateway}
        with ExitStack() as stack:
            others = {}
            for number, (name, peer) in enumerate(GATEWAYS.items(), PORT + 10):
                try:
                    peer.install(CACHE, _say)
                except MissingError as error:
                    _say(f"{name} is missing: {error}")
                    continue
                others[name] = stack.enter_context(self._platform.before(peer, number))
            urls = {name: f"http://127.0.0.1:{each.port}" for name, each in others.items()}
            event = self._vendors.an_event()[1]
            found = await served(ours, urls, event, self._platform.token, seconds=0.5 if self._quick else 3.0)
            memory = {name: memory_bytes(tree(each.pid)) / 2**20 for name, each in others.items()}
        return found, {COPY: beside.memory_mib(), **memory, "shardgate": self._platform.gateway_mib()}

    async def _new_events(self, count: int) -> Sequence[tuple[str, str]]:
        return [await self._vendors.create() for _ in range(count)]

    async def _wrong_rows(self, beside: Beside) -> int:
        truth: dict[str, object] = {}
        for url in self._platform.instances:
            truth |= await self._rows(url)
        copied = await self._rows(beside.url)
        return len([id_ for id_ in truth.keys() | copied.keys() if truth.get(id_) != copied.get(id_)])

    async def _rows(self, url: str) -> dict[str, object]:
        reply = await self._client.get(f"{url}/v3/events?order=id")
        return {row["id"]: row for row in reply.raise_for_status().json()}


def _say(what: str) -> None:
    _console.print(f"  {what}", markup=False)


def _unwind(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
