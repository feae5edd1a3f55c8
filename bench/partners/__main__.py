"""Runs the load of the partners: against the gateway over three shards on this machine, or against an address.

Without a rate, the one that is carried is found by a short ramp. What the load books it cancels.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.partners import k6_run, ramp
from bench.partners.client import Client
from bench.partners.definition import VIATOR_PEAK_PER_S, Definition, read
from bench.partners.filling import Pool
from bench.partners.generator import Generator
from bench.partners.own_share import own_ms
from bench.partners.platform import TIMEOUT_S, Target, give_back, here, pool_of, settle
from bench.partners.report import Share, print_report, share_of
from bench.partners.samples import Load
from bench.partners.schedule import arrivals
from bench.partners.verdicts import judged, sent, share

SECONDS = 30.0
WARM_S, WARM_PER_S = 10.0, 20.0
FINISH_S = 20.0
SEED = 7
_TELL_EVERY_S = 10


def main() -> None:
    """Run, print, and exit with 1 where a threshold is not met."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", help="where the gateway is; its token is in the variable API_TOKEN")
    options.add_argument("--rate", type=float, help=f"Viator's requests/s; its peak is {VIATOR_PEAK_PER_S:g}")
    options.add_argument("--seconds", type=float, default=SECONDS, help=f"how long; default: {SECONDS:g}")
    options.add_argument("--access-log", type=Path, help="the gateway's access log, for its share of the latency")
    options.add_argument("--scale", type=float, default=1.0, help="of the data on this machine: 1 is 33,000 events")
    given = options.parse_args()
    local = here(given.scale) if given.url is None else nullcontext(_there(given.url, given.access_log))
    with local as target:
        headers = {"Authorization": f"Bearer {target.token}"}
        with httpx.Client(base_url=target.url, headers=headers, timeout=TIMEOUT_S) as client:
            sys.exit(_loaded(target, client, given.rate, given.seconds))


def _loaded(target: Target, client: httpx.Client, viator_per_s: float | None, lasts_s: float) -> int:
    definition = read()
    pool = pool_of(client)
    try:
        # Instances that have just started are slow at first: partners never see that.
        warm = definition.scaled((viator_per_s or WARM_PER_S) / VIATOR_PEAK_PER_S)
        _ours(target, warm, pool, WARM_S)
        if viator_per_s is None:
            viator_per_s = ramp.PART * _carried(target, client, definition, pool)
        factor = viator_per_s / VIATOR_PEAK_PER_S
        whole = definition.requests_per_s
        _say(f"{factor * whole:.0f} requests/s for {lasts_s:g} s, of {whole:.0f} at the peak of all partners")
        since = datetime.now(UTC)
        k6 = k6_run.command()
        if k6 is not None:
            with tempfile.TemporaryDirectory() as folder:
                load = k6_run.run(k6, target.url, target.token, pool, factor, lasts_s, Path(folder))
        else:
            load = _ours(target, definition.scaled(factor), pool, lasts_s)
        own = _own_ms(target.access_log, since, datetime.now(UTC))
    finally:
        all_given_back = _given_back(client, pool)
    rows = judged(definition, load)
    others = [sent(load), *([share(own.p99_ms)] if own is not None else [])]
    return int(not all_given_back) | print_report(
        rows, others, load, own, "k6" if k6 is not None else "the project's generator"
    )


def _given_back(client: httpx.Client, pool: Pool) -> bool:
    """Cancel what the load has booked, and say how that went."""
    try:
        found, failed = give_back(client, pool)
    except httpx.HTTPError as error:
        _say(f"the bookings with resellerReference {pool.reference} are not cancelled: {error}")
        return False
    _say(f"{found} bookings were left, {found - failed} of them are cancelled")
    return not failed


def _carried(target: Target, client: httpx.Client, definition: Definition, pool: Pool) -> float:
    """Viator's part of the highest rate that is carried, in requests/s. Exits where there is none."""
    last = 0.0
    settle(client)
    for rate in ramp.rates(VIATOR_PEAK_PER_S):
        load = _ours(target, definition.scaled(rate / VIATOR_PEAK_PER_S), pool, ramp.STEP_S)
        why = ramp.carried(load)
        if why:
            _say(f"ramp: {rate:.0f} of Viator's requests/s are too many: {why}")
            settle(client)
            break
        _say(f"ramp: {rate:.0f} of Viator's requests/s are carried")
        last = rate
    if not last:
        sys.exit("partners: not even the first rate of the ramp is carried")
    return last


def _ours(target: Target, definition: Definition, pool: Pool, lasts_s: float) -> Load:
    chance = random.Random(SEED)

    async def run() -> Load:
        client = Client(target.url, target.token, TIMEOUT_S)
        try:
            # Another seed each time: a uuid that a run before has used would be that booking again.
            generator = Generator(client, pool, time.time_ns(), _tell)
            return await generator.run(arrivals(definition, lasts_s, chance), lasts_s, finish_s=FINISH_S)
        finally:
            await client.close()

    return asyncio.run(run())


def _own_ms(access_log: Path | None, since: datetime, until: datetime) -> Share | None:
    if access_log is None:
        return None
    time.sleep(1.5)  # the gateway writes its lines once a second
    with access_log.open("rb") as lines:
        return share_of(own_ms(lines, since, until))


def _there(url: str, access_log: Path | None) -> Target:
    given = os.environ.get("API_TOKEN")
    if not given:
        sys.exit("partners: set API_TOKEN: the token of a marketplace client with all scopes")
    return Target(url.rstrip("/"), given, access_log)


def _tell(at_s: float, over: int, failed: int, journeys: int) -> None:
    text = f"  {at_s:3.0f} s: {over} requests, {failed} failed, {journeys} journeys under way"
    if sys.stderr.isatty():
        print(f"\r{text:78}\r", end="", file=sys.stderr, flush=True)
    elif round(at_s) % _TELL_EVERY_S == 0:
        print(text, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(f"partners: {text}", flush=True)


if __name__ == "__main__":
    main()
