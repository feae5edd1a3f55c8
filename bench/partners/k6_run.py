"""Runs `k6.js` by the k6 that is on the PATH, and reads the samples that it writes.

Holds: a k6 that ends otherwise than well, or because a threshold of its own is not met, is an error.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from bench.partners.filling import Pool
from bench.partners.samples import Load, Sample

SCRIPT = Path(__file__).with_name("k6.js")
_THRESHOLDS_FAILED = 99
_FINISH_S = 120


class _Data(msgspec.Struct):
    time: datetime
    value: float
    tags: dict[str, str] = {}


class _Point(msgspec.Struct):
    metric: str
    type: str
    data: msgspec.Raw


def command() -> str | None:
    """Where k6 is; None where it is not."""
    return shutil.which("k6")


def run(k6: str, url: str, token: str, pool: Pool, factor: float, lasts_s: float, folder: Path) -> Load:
    """Send the load. Raises RuntimeError where k6 fails."""
    samples, offered = folder / "k6.jsonl", folder / "pool.json"
    offered.write_bytes(msgspec.json.encode(pool))
    given = {"URL": url, "POOL": str(offered), "FACTOR": str(factor), "SECONDS": f"{lasts_s:g}"}
    options = [part for name, value in given.items() for part in ("-e", f"{name}={value}")]
    line = [k6, "run", "--no-usage-report", "--address=", "--out", f"json={samples}", *options, str(SCRIPT)]
    # k6 makes variables of the environment known to the script: a token in a command line could be read by others.
    done = subprocess.run(line, env={**os.environ, "TOKEN": token}, timeout=lasts_s + _FINISH_S, check=False)
    if done.returncode not in {0, _THRESHOLDS_FAILED}:
        raise RuntimeError(f"k6 ended with {done.returncode}")
    with samples.open("rb") as file:
        return read(file, lasts_s)


def read(lines: Iterable[bytes], lasts_s: float) -> Load:
    """The load, from the points that k6 writes one a line."""
    found: list[tuple[datetime, _Data]] = []
    dropped = 0.0
    for line in lines:
        point = msgspec.json.decode(line, type=_Point)
        if point.type != "Point" or point.metric not in {"partner_took", "dropped_iterations"}:
            continue
        data = msgspec.json.decode(point.data, type=_Data)
        if point.metric == "dropped_iterations":
            dropped += data.value
        else:
            found.append((data.time, data))
    began = min((at for at, _ in found), default=None)
    samples = [_sample(data, (at - began).total_seconds()) for at, data in found if began is not None]
    ended_s = max((sample.due_s + sample.took_ms / 1000 for sample in samples), default=0.0)
    return Load(samples, max(lasts_s, ended_s), unsent=int(dropped))


def _sample(data: _Data, ended_s: float) -> Sample:
    return Sample(
        partner=data.tags["partner"],
        capability=data.tags["capability"],
        due_s=ended_s - data.value / 1000,
        took_ms=data.value,
        status=int(data.tags["answered"]),
        failed=data.tags["expected"] != "true",
    )
