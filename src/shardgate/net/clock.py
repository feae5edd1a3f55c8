"""The only module that reads the time."""

import time


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def wall() -> float:
    """Seconds since 1970, for logs and cursors."""
    return time.time()  # noqa: TID251 - here is the one place
