"""Runs attacks one after the other, each on an idle gateway, and judges them."""

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from proof.hostile.attack import Attack, Outcome, Verdict
from proof.hostile.attacks.table import all_attacks
from proof.hostile.stage import Stage
from proof.hostile.table import head, line, summary
from proof.hostile.worlds import open_stage
from proof.hostile.yardstick import slowness

ATTACK_S_MAX = 90.0
"""An attack that is not over by then has hung the gateway."""


async def run(seed: int, *, quick: bool, only: str) -> list[Verdict]:
    """Try all attacks whose name has `only` in it, and print the table."""
    chosen = [each for each in all_attacks() if only in each.name and not (quick and each.slow)]
    slower = slowness()
    print(f"seed {seed}; this machine takes {slower:.2f} times as long as the reference machine")
    print(head(), flush=True)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        for name in dict.fromkeys(attack.stage for attack in chosen):
            of_stage = [attack for attack in chosen if attack.stage == name]
            async with open_stage(name, Path(folder) / name, seed) as stage:
                for attack in of_stage:
                    _progress(len(verdicts), len(chosen), attack.name)
                    verdicts.append(await tried(stage, attack, slower))
                    print(line(verdicts[-1]), flush=True)
    print(_broken(verdicts))
    print(summary(verdicts))
    return verdicts


async def tried(stage: Stage, attack: Attack, slower: float) -> Verdict:
    """One attack, judged."""
    await stage.begin(attack.name)
    bystander = asyncio.get_running_loop().create_task(stage.bystand())
    try:
        async with asyncio.timeout(ATTACK_S_MAX):
            outcome = await attack.run(stage)
    except TimeoutError:
        outcome = Outcome("no end", (f"not over in {ATTACK_S_MAX:g} s",))
    bystander.cancel()
    with suppress(asyncio.CancelledError):
        await bystander
    seen = await stage.end()
    return Verdict(
        attack.name,
        outcome.said,
        seen.cost.stall_s / slower * 1000,
        seen.cost.memory_mb,
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
