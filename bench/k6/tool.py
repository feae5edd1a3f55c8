"""k6 itself, as it is on the PATH: run for one script and one gateway.

Never: builds or installs it; it is under the AGPL.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.peers import MissingError

_THRESHOLDS_FAILED = 99
_HERE = Path(__file__).resolve().parent


class Metric(msgspec.Struct, frozen=True):
    """One metric of k6's summary, or a part of it that a threshold looks at."""

    values: dict[str, float]
    thresholds: dict[str, dict[str, bool]] = {}


class Summary(msgspec.Struct, frozen=True):
    """What k6 found."""

    metrics: dict[str, Metric]


def version() -> str:
    """The version of the k6 on the PATH. Raises MissingError."""
    said = subprocess.run([_command(), "version"], capture_output=True, text=True, check=True).stdout
    return said.split(" (")[0].strip()


def _command() -> str:
    k6 = shutil.which("k6")
    if k6 is None:
        raise MissingError("k6 is not on the PATH. It is under the AGPL; install it yourself: https://k6.io")
    return k6


def run(script: str, gateway: str, seconds: float, core: int, folder: Path) -> Summary:
    """Run one script against one gateway, pinned to a core. Raises RuntimeError where it does not end well."""
    file = folder / "summary.json"
    file.unlink(missing_ok=True)
    options = ["--quiet", "--no-usage-report", "--address=", "--log-format=raw"]
    given = {"GATEWAY": gateway, "SECONDS": str(seconds), "SUMMARY": str(file)}
    pinned = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core)]
    command = [*pinned, _command(), "run", *options, *_set(given), str(_HERE / f"{script}.js")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, error = process.communicate(timeout=60 + 4 * seconds)
    finally:
        process.kill()
        process.wait()
    if process.returncode not in {0, _THRESHOLDS_FAILED} or not file.exists():
        raise RuntimeError(f"k6 {script} ended with {process.returncode}: {error[-500:]}")
    return msgspec.json.decode(file.read_bytes(), type=Summary)


def _set(values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in ("-e", f"{name}={value}")]


def tell(text: str) -> None:
    """Progress, beside the table."""
    print(f"bench-k6: {text}", file=sys.stderr, flush=True)
