"""`make strangers`: the table by application, and the line that counts.

    make strangers                      # all
    make strangers ONLY=drf,json-server
    make strangers QUICK=1              # a small selection of each

The files with each difference and its reason are written to `proof/strangers/differences/` by a full run, and to
`.strangers/NAME/` by any. The exit code is 1 where an application does not hold what it must.
"""

import argparse
import fcntl
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import httpx

from proof.strangers.application import CACHE, Application
from proof.strangers.both import TIMEOUT_S, Both, Exchange
from proof.strangers.installing import CannotRunError
from proof.strangers.processes import running
from proof.strangers.table import APPLICATIONS
from proof.strangers.verdict import Verdict, keep, lines

DIFFERENCES = Path(__file__).parent / "differences"
HOST = "strangers.example"
"""Both sides are asked under one name, so that the links that an application writes are the same."""
SHOWN = 10


def main() -> int:
    """Run, print, and say by the exit code whether all hold."""
    parser = argparse.ArgumentParser(description="Applications that nobody here wrote, behind the gateway.")
    parser.add_argument("--only", default="", help="names, with commas")
    parser.add_argument("--quick", action="store_true", help="a small selection of each")
    parser.add_argument("--seed", type=int, default=None, help="other generated requests")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    only = [name for name in options.only.split(",") if name]
    if unknown := set(only) - {application.name for application in APPLICATIONS}:
        known = ", ".join(application.name for application in APPLICATIONS)
        sys.exit(f"strangers: no application {', '.join(sorted(unknown))}; there are {known}")
    chosen = [application() for application in APPLICATIONS if not only or application.name in only]
    verdicts = [tried(application, quick=options.quick, seed=options.seed) for application in chosen]
    print("\n".join(lines(verdicts)), flush=True)
    broken = [line for verdict in verdicts if not verdict.skipped for line in verdict.broken(quick=options.quick)]
    return 1 if broken else 0


def tried(application: Application, *, quick: bool = False, seed: int | None = None) -> Verdict:
    """Install, start, ask, judge; a progress line on stderr."""
    started_at = time.monotonic()
    print(f"{application.title} …", file=sys.stderr, flush=True)
    asked: list[Exchange] = []
    failed = ""
    try:
        with _alone(application):
            application.install()
            _ask(application, asked, quick=quick, seed=application.seed if seed is None else seed)
    except CannotRunError as error:
        return Verdict(application.name, application.title, (), skipped=str(error))
    except (RuntimeError, httpx.TransportError) as error:
        failed = f"{type(error).__name__}: {error}"
    verdict = Verdict(application.name, application.title, asked, failed=failed)
    keep(verdict, CACHE / application.name)
    if not quick and seed is None and not failed:
        keep(verdict, DIFFERENCES)
    for exchange in verdict.other[:SHOWN]:
        print(f"- {exchange.kind}: {exchange.method} {exchange.target}\n    {exchange.other}", flush=True)
    for line in verdict.broken(quick=quick):
        print(f"{application.name}: {line}", flush=True)
    print(f"{application.title}: {time.monotonic() - started_at:.0f} s", file=sys.stderr, flush=True)
    return verdict


@contextmanager
def _alone(application: Application) -> Iterator[None]:
    """Of several runs of one application at a time, one installs and runs it; the others wait."""
    folder = CACHE / application.name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


def _ask(application: Application, asked: list[Exchange], *, quick: bool, seed: int) -> None:
    """Start everything, and ask both. Raises RuntimeError where a process does not become ready."""
    headers = {"Host": HOST, "Accept-Encoding": "identity"}
    with running(application, CACHE / application.name / "run") as addresses, ExitStack() as stack:
        monolith, gateway = (
            stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False))
            for url in (addresses.monolith, addresses.gateway)
        )
        application.ask(Both(monolith, gateway, quick, asked), Random(seed))


if __name__ == "__main__":
    sys.exit(main())
