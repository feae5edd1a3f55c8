"""Compares one json-server that holds all the data with the gateway before several that hold a part each.

The last line is `second application: R requests, N shards, D differences`; the exit code is 1 where D is not 0, and 3
where this machine cannot run it.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from comparison import Pair
from processes import CannotRunError, Running, running
from traffic import Asked, latecomer, nameless, reads, refused, writes

SHOWN_MAX = 10
CANNOT_RUN = 3


class Tally:
    """What was compared, and what differed."""

    def __init__(self) -> None:
        self.compared: Counter[str] = Counter()
        self.differed: list[str] = []

    def note(self, asked: Asked, found: list[str]) -> None:
        """Count one comparison."""
        self.compared[asked.kind] += 1
        if found:
            lines = "\n      ".join(found)
            self.differed.append(f"{asked.method} {asked.target} {asked.body.decode()}\n      {lines}")


def main() -> int:
    """Parse the options, run, say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=400, help="generated reads, besides the writes (400)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other reads (7)")
    parser.add_argument("--stay", action="store_true", help="keep everything running afterwards, until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with tempfile.TemporaryDirectory(prefix="json-server-") as folder:
        try:
            with running(Path(folder)) as everyone:
                differences = compare(everyone, options.requests, options.seed)
                if options.stay:
                    stay(everyone)
        except CannotRunError as error:
            print(f"cannot run here: {error}", file=sys.stderr)
            return CANNOT_RUN
    return 1 if differences else 0


def compare(everyone: Running, count: int, seed: int) -> int:
    """Send all requests to both, print the summary; returns how many differed."""
    tally = Tally()
    pair = Pair(everyone.monolith, everyone.gateway)
    print(f"json-server with all data: {everyone.monolith}")
    print("\n".join(f"json-server of {shard}: {url}" for shard, url in everyone.shards.items()))
    print(f"gateway: {everyone.gateway}\nseed: {seed}\n")
    started = time.perf_counter()
    try:
        _send_all(pair, tally, count, seed)
    finally:
        pair.close()
    for kind, number in tally.compared.items():
        print(f"{number:>6}  {kind}")
    print(f"{time.perf_counter() - started:>6.1f}  seconds\n")
    for difference in tally.differed[:SHOWN_MAX]:
        print(f"  - {difference}")
    total, shards, differences = tally.compared.total(), len(everyone.shards), len(tally.differed)
    print(f"second application: {total} requests, {shards} shards, {differences} differences", flush=True)
    return differences


def _send_all(pair: Pair, tally: Tally, count: int, seed: int) -> None:
    before = count * 2 // 3
    generated = list(reads(seed, count))
    _note_all(tally, generated[:before], pair.differences)
    _note_all(tally, list(writes()), pair.differences)
    _note_all(tally, [nameless()], pair.differences_but_for_the_id)
    create, unsorted, *others = latecomer()
    _note_all(tally, [create], pair.differences)
    _note_all(tally, [unsorted], pair.differences_but_for_the_place)
    _note_all(tally, others, pair.differences)
    _note_all(tally, generated[before:], pair.differences)
    for asked, wanted in refused():
        said = pair.refusal(asked)
        tally.note(asked, [] if said == wanted else [f"refused with {said or 'nothing'}, not with {wanted}"])


def _note_all(tally: Tally, requests: list[Asked], differences: Callable[[Asked], list[str]]) -> None:
    for asked in requests:
        tally.note(asked, differences(asked))


def stay(everyone: Running) -> None:
    """Leave everything running for whoever wants to try it by hand."""
    query = "_sort=title,year&_order=asc,desc&_limit=5"
    print(f"\ntry: curl '{everyone.gateway}/books?{query}'   (Ctrl-C ends)", flush=True)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    sys.exit(main())
