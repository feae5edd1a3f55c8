"""The only module that reads the time."""

import time
from functools import cache
from pathlib import Path
from typing import Final

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

now: Final = time.monotonic
"""Seconds on a clock that only goes forward. No function around it: a request asks it six times."""


def wall() -> float:
    """Seconds since 1970, for logs and cursors."""
    return time.time()  # noqa: TID251 - here is the one place


@cache
def boot() -> str:
    """Names the boot of this machine, since which `now` goes forward; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def utc(second: int) -> str:
    """An instant of `wall` as text: `2026-03-01T09:30:00`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def cpu() -> float:
    """Seconds of CPU time that this process has taken, user and system."""
    return time.process_time()
