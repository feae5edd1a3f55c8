"""How many calls may be made beside the first one: a share of the first ones, and some a second in any case.

Holds: over any time, what was taken is at most `percent` of the calls that were counted, what was saved up before, and
`per_s` of each second.
Never: reads a clock.
Source: the retry budget of Finagle, which linkerd and Envoy took over.
"""

from shardgate.core.bucket import Bucket

# What is saved up while nothing fails: enough for a replica that dies with 100 calls under way.
SAVED_MAX = 100.0
# What `per_s` saves up.
BURST_S = 3


class Allowance:
    """Retries, or hedges, of one shard."""

    __slots__ = ("_bucket", "_saved", "_share")

    def __init__(self, percent: int, per_s: float, now_s: float) -> None:
        self._share = percent / 100
        self._saved = 0.0
        self._bucket = Bucket(max(1, int(per_s * BURST_S)), per_s, now_s) if per_s > 0 else None

    def count(self, calls: int = 1) -> None:
        """So many first calls were made."""
        saved = self._saved + self._share * calls
        self._saved = saved if saved < SAVED_MAX else SAVED_MAX

    def take(self, now_s: float) -> bool:
        """Make a further call; False: there is no allowance left."""
        if self._saved >= 1:
            self._saved -= 1
            return True
        return self._bucket is not None and self._bucket.take(now_s)
