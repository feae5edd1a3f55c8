"""What a version is asked before clients are: questions, and a load with thresholds. Of production only reads."""

import os
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from proof.data import ROOT
from tools.delivery.deployment import Check, RefusedError
from tools.delivery.load import Told
from tools.delivery.smoke import smoke

LOAD_TIMEOUT_S = 120.0


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """A load, and what must hold under it."""

    rate: float
    seconds: float
    p90_ms_max: float
    failed_percent_max: float = 0.0
    reads: bool = True


def checks_of(thresholds: Thresholds, token: str) -> Sequence[Check]:
    """In this order: the cheap one first."""
    return (
        Check("smoke", lambda url: smoke(url, token)),
        Check("load", lambda url: load(url, thresholds, token), is_judged=True),
    )


def load(url: str, thresholds: Thresholds, token: str) -> str:
    """Raises RefusedError where a threshold does not hold."""
    command = [sys.executable, "-m", "tools.delivery.load", url, f"--rate={thresholds.rate}"]
    command += [f"--seconds={thresholds.seconds}", f"--p90-ms-max={thresholds.p90_ms_max}"]
    command += [f"--failed-percent-max={thresholds.failed_percent_max}", *(["--reads"] if thresholds.reads else [])]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "LOAD_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
            timeout=thresholds.seconds + LOAD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise RefusedError("the load did not end") from None
    if done.returncode != 0:
        raise RefusedError(" | ".join(done.stderr.strip().splitlines()[-3:]).replace("load: ", ""))
    told = msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)
    return f"{told.requests} requests, {told.failed} failed, p90 {told.p90_ms:.0f} ms"
