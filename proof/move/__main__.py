"""`make move`: the last line counts moves, failures, differences, what was lost or doubled, and the longest wait."""

import argparse
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from proof.chaos.judged import percentile
from proof.data import CACHE
from proof.move.run import Result, run
from proof.move.stages import Waits

SIZES = (50_000, 20_000, *[10_000] * 5, 5_000, 2_000, 1_000, 100, 100)
QUICK_SIZES = (10_000, 2_000, 100)
LARGE_ROWS = 12_000
"""Tenants of 10,000 rows more than they had, and smaller ones: their changes wait for at most a second."""
P99_MS_MAX = 1000.0


def main() -> None:
    """Run, and print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--moves", type=int, default=100)
    options.add_argument("--seed", type=int, default=14)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="the shards' databases")
    options.add_argument(
        "--control", action="store_true", help="also take the mover's processor time, and move nothing"
    )
    options.add_argument("--stays", action="store_true", help="no shard comes or goes")
    given = options.parse_args()
    moves, sizes = (min(given.moves, 8), QUICK_SIZES) if given.quick else (given.moves, SIZES)
    shown = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    columns = (TextColumn("movements"), *shown, TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=moves)
        result = run(
            CACHE / "move",
            scale=0.02,
            moves=moves,
            sizes=[*sizes],
            seed=given.seed,
            database=given.db,
            controls=given.control,
            comes_and_goes=not given.stays,
            report=lambda what, made: bar.update(task, description=what, completed=made),
        )
    _print(result)
    sys.exit(not result.holds)


def _print(result: Result) -> None:
    for each in result.differences[:10]:
        print(f"difference: {each}")
    for each in sorted({*result.refused})[:5]:
        print(f"refused: {each}")
    for each in sorted({*result.stalled})[:5]:
        print(f"stood still, and was resumed: {each}")
    sizes = [rows for rows, _ in result.waits_s] or [0]
    print(
        f"{result.requests} requests, {result.histories} histories; tenants of {min(sizes)} to {max(sizes)} rows;"
        f" {len(result.refused)} movements refused before anything was touched, {len(result.stalled)} resumed"
    )
    for what, waits in result.others.items():
        print(f"others, {what}:{_ratio(waits)}")
        for name, found in waits.items():
            times = f"p50 {found.p50_ms:>5.0f} ms, p99 {found.p99_ms:>5.0f} ms"
            print(f"  {name:>10}: {found.requests:>6} requests, {times}")
    print(f"slowest: {', '.join(f'{step} {took_s * 1000:.0f} ms' for step, took_s in result.slowest.items())}")
    held = [held_s for rows, held_s in result.waits_s if rows <= LARGE_ROWS]
    print(
        f"changes of tenants of up to {LARGE_ROWS:,} rows: held {percentile(held, 50) * 1000:.0f} ms at p50,"
        f" {percentile(held, 99) * 1000:.0f} ms at p99 (must {P99_MS_MAX:.0f}); as clients saw it, at most"
        f" {max(result.seen_s, default=0.0) * 1000:.0f} ms, also of larger ones"
    )
    worst_s = max((held_s for _, held_s in result.waits_s), default=0.0)
    print(
        f"move: {result.moves} moves, {result.failed} failed, {len(result.differences)} differences,"
        f" {result.lost} lost, {result.doubled} doubled, worst write wait {worst_s * 1000:.0f} ms"
    )


def _ratio(waits: dict[str, Waits]) -> str:
    if not {"quiet", "moving"} <= waits.keys():
        return ""
    quiet_ms, moving_ms = waits["quiet"].p99_ms, waits["moving"].p99_ms
    return f" p99 {quiet_ms:.0f} ms without a movement, {moving_ms:.0f} ms with one: {moving_ms / quiet_ms:.2f} times"


if __name__ == "__main__":
    main()
