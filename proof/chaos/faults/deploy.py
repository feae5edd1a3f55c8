"""What operators do: none of it may be noticed."""

import asyncio
import os
import re
import signal
import ssl
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from proof.chaos.fault import ALL, Fault, Must
from proof.chaos.stage import Stage
from proof.chaos.variants import Secure

END_S = 12.0
AGAIN_S = 0.05
"""Between two signals of somebody who is impatient."""
SERVED_S = 5.0


@asynccontextmanager
async def _reloaded(stage: Stage) -> AsyncIterator[None]:
    async def reload() -> None:
        while True:
            stage.gateway.signal(signal.SIGHUP)
            await asyncio.sleep(1.0)

    reloading = asyncio.get_running_loop().create_task(reload())
    before = (await stage.metrics())["shardgate_reloads_total"]
    yield
    reloading.cancel()
    reloads = (await stage.metrics())["shardgate_reloads_total"] - before
    stage.note(f"{reloads:.0f} reloads")
    stage.prove(reloads > 1, "the configuration was not read anew")


@asynccontextmanager
async def _renewed(stage: Stage) -> AsyncIterator[None]:
    """Another certificate each second; the last one is that of new connections soon."""
    variant = stage.variant
    assert isinstance(variant, Secure)
    last, times = b"", 0

    async def renew() -> None:
        nonlocal last, times
        while True:
            last, times = variant.renew(stage.folder), times + 1
            await asyncio.sleep(1.0)

    renewing = asyncio.get_running_loop().create_task(renew())
    yield
    renewing.cancel()
    renewed_at = time.monotonic()
    while await asyncio.to_thread(_served, stage.port) != last:
        if time.monotonic() - renewed_at > SERVED_S:
            stage.find(f"the last certificate is not served within {SERVED_S:g} s")
            break
        await asyncio.sleep(0.05)
    stage.note(f"{times} certificates, the last one served after {time.monotonic() - renewed_at:.1f} s")


def _served(port: int) -> bytes:
    """The certificate of a new connection, in DER."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port), timeout=5.0))


@asynccontextmanager
async def _reloaded_wrongly(stage: Stage) -> AsyncIterator[None]:
    right = stage.gateway.file.read_text()
    stage.gateway.file.write_text(right.replace("rule: gather", "rule: gathr"))
    stage.gateway.signal(signal.SIGHUP)
    yield
    if "refused; the old one goes on" not in stage.gateway.log.read_text(errors="replace"):
        stage.find("no line of the log says that it was refused")
    stage.gateway.file.write_text(right)


@asynccontextmanager
async def _restarted(stage: Stage) -> AsyncIterator[None]:
    old = stage.gateway
    old.signal(signal.SIGTERM)
    await stage.until(old.has_ended, END_S, "the end")
    began_at = time.monotonic()
    stage.gateway = await stage.another_gateway()
    stage.note(f"served again after {time.monotonic() - began_at:.2f} s")
    yield


@asynccontextmanager
async def _replaced(stage: Stage) -> AsyncIterator[None]:
    old = stage.gateway
    stage.gateway = await stage.another_gateway()
    old.signal(signal.SIGTERM)
    took_s = await stage.until(old.has_ended, END_S, "the end")
    stage.note(f"the old one ended in {took_s:.1f} s")
    yield


@asynccontextmanager
async def _upgraded(stage: Stage) -> AsyncIterator[None]:
    gateway = stage.gateway
    before = {*gateway.workers}
    gateway.signal(signal.SIGUSR2)
    await stage.until(lambda: {*gateway.workers} - before, END_S, "a new version")
    (new_version, *_) = {*gateway.workers} - before
    took_s = await stage.until(gateway.has_ended, END_S, "the end of the old one")
    gateway.follow(new_version)
    stage.note(f"the old one ended after {took_s:.1f} s")
    yield


@asynccontextmanager
async def _upgraded_at_once(stage: Stage) -> AsyncIterator[None]:
    """SIGUSR2 twice, and once more to the new version as soon as it serves, while the old one drains."""
    first = stage.gateway.pid
    before = {*stage.gateway.workers}
    stage.gateway.signal(signal.SIGUSR2)
    await asyncio.sleep(AGAIN_S)
    stage.gateway.signal(signal.SIGUSR2)
    await stage.until(lambda: {*stage.gateway.workers} - before, END_S, "a new version")
    (second, *more) = {*stage.gateway.workers} - before
    if more:
        stage.find(f"{1 + len(more)} new versions were started")
    await stage.until(lambda: _serves(stage, second), END_S, "the new version serves")
    stage.prove(_says(stage, "no new version is started"), "the second signal was not heard")
    had_ended, known = stage.gateway.has_ended(), {*started(stage)}
    os.kill(second, signal.SIGUSR2)
    stage.prove(not had_ended, "the old version had ended before the third signal")
    third = await _next_version(stage, known)
    await stage.until(stage.gateway.has_ended, END_S, "the end of the first one")
    stage.gateway.follow(second)
    took_s = await stage.until(stage.gateway.has_ended, END_S, "the end of the second one")
    stage.gateway.follow(third)
    stage.note(f"{first}, {second} and {third} served in turn; the second one ended after {took_s:.1f} s")
    yield


async def _next_version(stage: Stage, known: Collection[int]) -> int:
    """The version that is started besides these; the log tells of those of other faults, too."""
    found: list[int] = []

    def is_told() -> bool:
        found[:] = [each for each in started(stage) if each not in known]
        return bool(found)

    await stage.until(is_told, END_S, "a third version")
    await stage.until(lambda: _serves(stage, found[-1]), END_S, "the third version serves")
    return found[-1]


def started(stage: Stage) -> list[int]:
    """The supervisors of all new versions, as the log has them."""
    log = stage.gateway.log.read_text(errors="replace")
    return [int(pid) for pid in re.findall(r"a new version is started \(pid (\d+)\)", log)]


def _serves(stage: Stage, pid: int) -> bool:
    return _says(stage, f"the new version serves (pid {pid})")


def _says(stage: Stage, text: str) -> bool:
    return text in stage.gateway.log.read_text(errors="replace")


RELOADED = Fault(
    name="reload",
    what="SIGHUP, every second",
    run=_reloaded,
    must=Must(times=None),
    hold_s=20.0,
    quick=True,
)

UPGRADED = Fault(
    name="upgrade in place",
    what="SIGUSR2: a new version takes the sockets, the old one drains",
    run=_upgraded,
    must=Must(times=None),
    hold_s=2.0,
)

RENEWED = Fault(
    name="certificate renewed",
    what="another file in its place, every second",
    run=_renewed,
    must=Must(times=None),
    hold_s=8.0,
    stage="tls",
)

FAULTS = (
    RELOADED,
    UPGRADED,
    Fault(
        name="upgrades at once",
        what="SIGUSR2 twice within 50 ms, and to the new version as soon as it serves",
        run=_upgraded_at_once,
        must=Must(times=None),
        hold_s=2.0,
    ),
    Fault(
        name="reload, wrong",
        what="SIGHUP, with a mistake in the configuration",
        run=_reloaded_wrongly,
        must=Must(),
        hold_s=4.0,
    ),
    RENEWED,
    Fault(
        name="deploy",
        what="another gateway starts on the port, then the first gets SIGTERM",
        run=_replaced,
        must=Must(times=None),
        hold_s=2.0,
    ),
    Fault(
        name="end and start",
        what="SIGTERM; started again once it has ended: what it had accepted is answered",
        run=_restarted,
        must=Must(unconnected=ALL, times=None, within_s=6.0),
        hold_s=1.0,
    ),
    Fault(
        name="restart with its socket",
        what="SIGTERM; started again on the socket of a service manager",
        run=_restarted,
        must=Must(times=None, within_s=6.0),
        hold_s=1.0,
        stage="passed",
    ),
)
