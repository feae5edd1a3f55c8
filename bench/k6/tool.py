"""k6 itself: built once by the machine's Go below `.bench/`, then run for one script and one gateway."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.peers import CACHE, MissingError, Say
from bench.peers.golang import go_command

_MODULE = "go.k6.io/k6@latest"
_BINARY = CACHE / "k6"
_TELL_EVERY_S = 5.0
_THRESHOLDS_FAILED = 99
_HERE = Path(__file__).resolve().parent


class Metric(msgspec.Struct, frozen=True):
    """One metric of k6's summary, or a part of it that a threshold looks at."""

    values: dict[str, float]
    thresholds: dict[str, dict[str, bool]] = {}


class Summary(msgspec.Struct, frozen=True):
    """What k6 found."""

    metrics: dict[str, Metric]


def build(say: Say) -> str:
    """Build it, unless it is there. Returns its version. Raises MissingError."""
    if not _BINARY.exists():
        _install(say)
    said = subprocess.run([_BINARY, "version"], capture_output=True, text=True, check=True).stdout
    return said.split(" (")[0].strip()


def _install(say: Say) -> None:
    say(f"building {_MODULE}, which takes some minutes")
    command = [go_command(), "install", "-v", _MODULE]
    environment = {**os.environ, "GOBIN": str(CACHE), "GOTOOLCHAIN": "auto"}
    began, told_at, last, packages = time.monotonic(), 0.0, "", 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                last, packages = line.strip(), packages + 1
                if time.monotonic() - told_at > _TELL_EVERY_S:
                    told_at = time.monotonic()
                    say(f"  {told_at - began:3.0f} s, step {packages}: {last}")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise MissingError(f"`go install {_MODULE}` failed: {last}")


def run(script: str, gateway: str, seconds: float, core: int, folder: Path) -> Summary:
    """Run one script against one gateway, pinned to a core. Raises RuntimeError where it does not end well."""
    file = folder / "summary.json"
    file.unlink(missing_ok=True)
    options = ["--quiet", "--no-usage-report", "--address=", "--log-format=raw"]
    given = {"GATEWAY": gateway, "SECONDS": str(seconds), "SUMMARY": str(file)}
    pinned = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core)]
    command = [*pinned, str(_BINARY), "run", *options, *_set(given), str(_HERE / f"{script}.js")]
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
