"""`make move`: the last line counts moves, failures, differences, what was lost or doubled, and the longest wait."""

import argparse
import sys

from proof.data import CACHE
from proof.move.run import run

SIZES = (50_000, 20_000, 10_000, 10_000, 5_000, 2_000, 1_000)
QUICK_SIZES = (10_000, 2_000)


def main() -> None:
    """Run, and print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--moves", type=int, default=100)
    options.add_argument("--seed", type=int, default=14)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="the shards' databases")
    given = options.parse_args()
    moves, sizes = (min(given.moves, 8), QUICK_SIZES) if given.quick else (given.moves, SIZES)
    result = run(CACHE / "move", scale=0.02, moves=moves, sizes=[*sizes], seed=given.seed, database=given.db)
    for each in result.differences[:10]:
        print(f"difference: {each}")
    for each in sorted({*result.refused})[:5]:
        print(f"refused: {each}")
    waits = sorted(result.waits_s) or [0.0]
    print(
        f"{result.requests} requests, {result.histories} histories; tenants of {min(result.rows or [0])} to"
        f" {max(result.rows or [0])} rows; {len(result.refused)} movements refused before anything was touched"
    )
    print(
        f"move: {result.moves} moves, {result.failed} failed, {len(result.differences)} differences,"
        f" {result.lost} lost, {result.doubled} doubled, worst write wait {waits[-1] * 1000:.0f} ms"
    )
    sys.exit(not result.holds)


if __name__ == "__main__":
    main()
