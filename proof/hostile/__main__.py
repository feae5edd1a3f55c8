"""`python -m proof.hostile`: run the attacks; exit with 1 where a bound is broken."""

import argparse
import asyncio
import sys

import uvloop

from proof.hostile.run import run

SEED = 11


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="make hostile")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--only", default="", help="attacks with this in their name")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        verdicts = runner.run(run(options.seed, quick=options.quick, only=options.only))
    sys.exit(1 if any(verdict.broken for verdict in verdicts) or not verdicts else 0)


if __name__ == "__main__":
    main()
