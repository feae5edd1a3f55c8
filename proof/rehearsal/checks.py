"""What is asked of a version before clients are sent to it: questions, and a load. Of production only reads."""

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from proof.data import ROOT
from tools.delivery.deployment import Check, RefusedError
from tools.delivery.load import Told
from tools.delivery.smoke import smoke
from tools.delivery.verdict import Bounds, Sample, judge

LOAD_TIMEOUT_S = 120.0


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A load."""

    rate: float
    seconds: float
    reads: bool = True


def checks_of(given: Given, token: str) -> Sequence[Check]:
    """In this order: the cheap one first."""
    return (
        Check("smoke", lambda url: smoke(url, token)),
        Check("load", lambda url: load(url, given, token).line(), is_judged=True),
    )


def load(url: str, given: Given, token: str) -> Sample:
    """What the clients saw. On a machine that does other things, too, its p90 says little by itself: callers compare.

    Raises RefusedError where a request failed.
    """
    command = [sys.executable, "-m", "tools.delivery.load", url, f"--rate={given.rate}", f"--seconds={given.seconds}"]
    command += ["--failed-percent-max=0", f"--p90-ms-max={math.inf}", *(["--reads"] if given.reads else [])]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "LOAD_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
            timeout=given.seconds + LOAD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise RefusedError("the load did not end") from None
    if done.returncode != 0:
        raise RefusedError(" | ".join(done.stderr.strip().splitlines()[-3:]).replace("load: ", ""))
    told = msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)
    return Sample(told.requests, told.failed, told.p90_ms)


def compared(old_url: str, new_url: str, given: Given, bounds: Bounds, token: str) -> str:
    """The same load on two versions at the same time, and the verdict over the new one. Raises RefusedError."""
    with ThreadPoolExecutor() as pool:
        old, new = pool.map(lambda url: load(url, given, token), (old_url, new_url))
    verdict = judge(old, old, new, bounds, is_over=True)
    if verdict.kind != "go_on":
        raise RefusedError(verdict.reason)
    return verdict.reason
