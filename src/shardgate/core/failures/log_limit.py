"""How many log lines of one kind of failure are written: a shard that fails every request must not fill the disk.

Holds: a line that is left out is counted, and the next line of its kind says how many were.
"""

from shardgate.core.bucket import Bucket
from shardgate.core.limits import LOG_BURST, LOG_KINDS_MAX, LOG_LINES_PER_S


class LogLimit:
    """The lines of one worker."""

    __slots__ = ("_buckets", "_left_out")

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def admit(self, shard: str, code: str, now_s: float) -> int | None:
        """Whether a line is written now: None if not, else how many lines of its kind were left out before it."""
        kind = (shard, code)
        bucket = self._buckets.get(kind)
        if bucket is None:
            if len(self._buckets) >= LOG_KINDS_MAX:
                self._buckets.clear()
                self._left_out.clear()
            bucket = self._buckets[kind] = Bucket(LOG_BURST, LOG_LINES_PER_S, now_s)
        if not bucket.take(now_s):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return None
        return self._left_out.pop(kind, 0)
