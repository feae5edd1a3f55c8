"""A shard is down while changes for all shards are made, and the gateway is killed; both come back, and the gateway is
killed once more while it delivers. How long it takes until all shards are alike again is measured.

Holds: a shard gets what it missed in order, each change once.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from proof.crash import LEASE_S, NAMES, World, enter_world
from proof.stores import add_option, empty_store

CHANGES = 100
WORKERS = 2


@dataclass
class Converged:
    """What became of one run."""

    seconds: float
    """From the moment at which both may come back, two starts of the gateway included."""
    findings: list[str] = field(default_factory=list)


async def converge(folder: Path, down: str, store: str = "") -> Converged:
    """Run once, with this shard down. `store`: the URL of an empty database; without it a file."""
    async with AsyncExitStack() as stack:
        world = await enter_world(folder, stack, workers=WORKERS, store=store)
        shop = world.shops[NAMES.index(down)]
        await shop.__aexit__(None, None, None)
        findings = await _promised(world)
        world.gateway.kill()
        begun = time.monotonic()
        delivering = asyncio.Event()

        def heard(_: str) -> None:
            # It takes no more until the gateway was killed: on a busy machine all would be there before the kill.
            if len(shop.things.held) >= CHANGES // 2:
                shop.gate.clear()
                delivering.set()

        shop.after = heard
        await shop.__aenter__()
        await asyncio.to_thread(world.gateway.start)
        await delivering.wait()
        world.gateway.kill()
        left = CHANGES - len(shop.things.held)
        shop.after = lambda _: None
        shop.cut()
        shop.gate.set()
        await asyncio.sleep(LEASE_S)
        await asyncio.to_thread(world.gateway.start)
        if not await world.settle():
            findings.append("something is still open")
        findings += _unlike(world)
        if left <= 0:
            findings.append("all was delivered before the gateway could be killed once more")
        return Converged(time.monotonic() - begun, findings)


def main() -> None:
    """Run with each shard down, and say how long it took."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_option(options)
    kind, failed = options.parse_args().store, False
    for down in NAMES:
        with empty_store(kind) as store, tempfile.TemporaryDirectory() as folder:
            converged = asyncio.run(converge(Path(folder), down, store))
        failed |= bool(converged.findings)
        print(
            "\n".join(converged.findings)
            or f"converged: {CHANGES} changes that {down} missed, {converged.seconds:.1f} s"
        )
    sys.exit(1 if failed else 0)


def _names() -> list[str]:
    return [f"n{number:03}" for number in range(CHANGES)]


async def _promised(world: World) -> list[str]:
    findings = []
    for name in _names():
        answer = await world.ask("/notes", {"id": name})
        if answer is None or answer.status_code != 202 or "Location" not in answer.headers:
            findings.append(f"{name} was answered {answer and answer.text}")
    return findings


def _unlike(world: World) -> list[str]:
    findings = []
    for name, shop in zip(NAMES, world.shops, strict=True):
        if list(shop.things.held) != _names():
            findings.append(f"{name} has {len(shop.things.held)} of {CHANGES}, or in another order")
        if doubled := [key for key, count in shop.things.effects.items() if count > 1]:
            findings.append(f"{name} took twice: {doubled}")
    return findings


if __name__ == "__main__":
    main()
