"""Runs attacks one after the other, each on an idle gateway, and judges them."""

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from proof.hostile.attack import STALL_MS_MAX, Attack, Outcome, Verdict
from proof.hostile.attacks.table import all_attacks
from proof.hostile.stage import Stage
from proof.hostile.table import head, line, summary
from proof.hostile.worlds import open_stage
from proof.hostile.yardstick import slowness

ATTACK_S_MAX = 40.0
"""An attack that is not over by then has hung the gateway."""
AGAIN = 2
DOUBTFUL_MS, DOUBTFUL_S = 200.0, 5.0
"""A stall below this, of an attack that is over so soon, is looked at again."""


async def run(seed: int, *, quick: bool, only: str) -> list[Verdict]:
    """Try all attacks whose name has `only` in it, and print the table."""
    chosen = [each for each in all_attacks() if only in each.name and not (quick and each.slow)]
    print(f"seed {seed}; this machine takes {slowness():.2f} times as long as the reference machine")
    print(head(), flush=True)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        for name in dict.fromkeys(attack.stage for attack in chosen):
            of_stage = [attack for attack in chosen if attack.stage == name]
            async with open_stage(name, Path(folder) / name, seed) as stage:
                for attack in of_stage:
                    _progress(len(verdicts), len(chosen), attack.name)
                    verdicts.append(await tried(stage, attack))
                    print(line(verdicts[-1]), flush=True)
    print(_broken(verdicts))
    print(summary(verdicts))
    return verdicts


async def tried(stage: Stage, attack: Attack) -> Verdict:
    """One attack, judged. A stall that the machine may have made is looked at again: one of our own comes again."""
    verdict = await _once(stage, attack)
    for _ in range(AGAIN):
        if not STALL_MS_MAX < verdict.stall_ms < DOUBTFUL_MS or verdict.took_s > DOUBTFUL_S:
            break
        again = await _once(stage, attack)
        verdict = msgspec.structs.replace(verdict, stall_ms=min(verdict.stall_ms, again.stall_ms))
    return verdict


async def _once(stage: Stage, attack: Attack) -> Verdict:
    loop = asyncio.get_running_loop()
    before, began_at = slowness(), loop.time()
    await stage.begin(attack.name)
    bystander = loop.create_task(stage.bystand())
    try:
        async with asyncio.timeout(ATTACK_S_MAX):
            outcome = await attack.run(stage)
    except TimeoutError:
        outcome = Outcome("no end", (f"not over in {ATTACK_S_MAX:g} s",))
    bystander.cancel()
    with suppress(asyncio.CancelledError):
        await bystander
    seen = await stage.end()
    slower = (before + slowness()) / 2
    return Verdict(
        attack.name,
        outcome.said,
        seen.cost.stall_s / slower * 1000,
        seen.cost.memory_mb,
        loop.time() - began_at,
        attack.many,
        (*outcome.findings, *seen.findings),
        seen.lost,
        seen.stuck,
        seen.leaked,
    )


def _progress(done: int, of: int, name: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{done}/{of} {name}", end="\r", file=sys.stderr, flush=True)


def _broken(verdicts: Iterable[Verdict]) -> str:
    broken = [verdict.name for verdict in verdicts if verdict.broken]
    return f"{len(broken)} broken: {', '.join(broken)}" if broken else "none broken"
