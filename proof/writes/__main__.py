"""`make equivalence-writes`: the law for changes. Made-up histories at a monolith and through the gateway; differences
are counted, and what both hold is compared between and at the end.

    make equivalence-writes HISTORIES=500 SHARDS=3
    make equivalence-writes HISTORIES=1 SEED=4711    # the one history that found something
"""

import argparse
import sys
from pathlib import Path
from secrets import randbelow

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from proof.data import CACHE
from proof.stores import add_option, empty_store
from proof.writes.run import Result, run

SHOWN = 5


def main() -> None:
    """Run, print, and exit with 1 where the law does not hold."""
    options = argparse.ArgumentParser(description="The law for changes.")
    options.add_argument("--histories", type=int, default=500)
    options.add_argument("--shards", type=int, default=3)
    options.add_argument(
        "--seed", type=int, default=None, help="of the first history; each next one has the next number"
    )
    options.add_argument("--scale", type=float, default=0.01, help="of what is there already; 1 is 33,000 events")
    options.add_argument("--workers", type=int, default=2, help="of the gateway")
    add_option(options)
    given = options.parse_args()
    seed = randbelow(10**6) if given.seed is None else given.seed
    print(f"equivalence-writes: {given.shards} shards, {given.workers} workers, seed {seed}", flush=True)
    columns = (TextColumn("histories"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with empty_store(given.store) as store, Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("histories", total=given.histories)
        result = run(
            seeds=range(seed, seed + given.histories),
            shards=given.shards,
            workers=given.workers,
            scale=given.scale,
            folder=Path(CACHE / "equivalence-writes"),
            report=lambda: bar.advance(task),
            store=store,
        )
    _print(result)
    counted = f"{result.histories} histories, {given.shards} shards, {len(result.differences)} differences"
    print(f"equivalence-writes: {counted}")
    sys.exit(1 if result.differences else 0)


def _print(result: Result) -> None:
    for seed, told in result.differences[:SHOWN]:
        print(f"--- SEED={seed} HISTORIES=1\n{told}\n")
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(result.statuses.items()))
    print(f"{sum(result.statuses.values())} requests: {statuses}; {result.checks} comparisons of all that both hold")


if __name__ == "__main__":
    main()
