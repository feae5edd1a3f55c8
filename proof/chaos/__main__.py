"""`python -m proof.chaos`: try the faults; exit with 1 where something did not hold."""

import argparse
import asyncio
import signal
import sys
import time

import uvloop

from bench.run import machine
from proof.chaos.faults.table import all_faults
from proof.chaos.run import FULL, QUICK, run
from proof.chaos.table import keep


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--quick", action="store_true", help="a few faults, and shorter")
    parser.add_argument("--only", default="", help="faults with this regular expression in their name")
    parser.add_argument("--list", action="store_true", help="name them")
    options = parser.parse_args()
    if options.list:
        print("\n".join(fault.name for fault in all_faults()))
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is ended, as by Ctrl-C
    here, began_at = machine(), time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        verdicts = runner.run(run(QUICK if options.quick else FULL, only=options.only, quick=options.quick))
    if not (options.quick or options.only):
        keep(verdicts, here, time.monotonic() - began_at)
    sys.exit(1 if any(verdict.findings for verdict in verdicts) or not verdicts else 0)


if __name__ == "__main__":
    main()
