"""Which shards are down: the first call that cannot connect says so, and the first reply afterwards that it is over.

        call fails to connect, or no call is answered                      reply
    up ───────────────────────────────────────────────► down (calls fail) ───────► up

Holds: an outage is two lines, however many calls fail in it. A shard that goes up and down all the time has no more
lines than the bound; the next line that is written counts the outages that were left out.
Never: reads a clock, or decides where a request goes.
"""

from shardgate.core.bucket import Bucket
from shardgate.core.limits import OUTAGES_TOLD_BURST, OUTAGES_TOLD_PER_S
from shardgate.core.topology import ShardId


class _Outage:
    """One shard is down."""

    __slots__ = ("calls_failed", "since_s", "was_told")

    def __init__(self, since_s: float, *, was_told: bool) -> None:
        self.since_s = since_s
        self.was_told = was_told
        self.calls_failed = 1


class Outages:
    """The shards of one worker."""

    __slots__ = ("_buckets", "_down", "_left_out", "any")

    def __init__(self) -> None:
        self._down: dict[ShardId, _Outage] = {}
        self._buckets: dict[ShardId, Bucket] = {}
        self._left_out: dict[ShardId, int] = {}
        self.any = False
        """Whether a shard is down."""

    def failed(self, shard: ShardId, why: str, now_s: float, *, connected: bool) -> str | None:
        """A call got no reply. `connected`: the shard was reached. A line for the log, where there is one to write."""
        outage = self._down.get(shard)
        if outage is not None:
            outage.calls_failed += 1
            return None
        if connected:
            return None
        if shard not in self._buckets:
            self._buckets[shard] = Bucket(OUTAGES_TOLD_BURST, OUTAGES_TOLD_PER_S, now_s)
        was_told = self._buckets[shard].take(now_s)
        self._down[shard] = _Outage(now_s, was_told=was_told)
        self.any = True
        if not was_told:
            self._left_out[shard] = self._left_out.get(shard, 0) + 1
            return None
        times = self._left_out.pop(shard, 0)
        more = f" (it was down {times} times more since the last line)" if times else ""
        return f"shard {shard} is down: {why}{more}"

    def silent(self, shard: ShardId, now_s: float) -> str | None:
        """A shard takes requests and answers none. A line for the log, where there is one to write."""
        if shard in self._down:
            return None
        line = self.failed(shard, "it takes requests and answers none", now_s, connected=False)
        self._down[shard].calls_failed = 0
        return line

    def replied(self, shard: ShardId, now_s: float) -> str | None:
        """A reply has come. A line for the log, where there is one to write."""
        outage = self._down.pop(shard, None)
        self.any = bool(self._down)
        if outage is None or not outage.was_told:
            return None
        calls = "1 call" if outage.calls_failed == 1 else f"{outage.calls_failed} calls"
        return f"shard {shard} is back after {now_s - outage.since_s:.1f} s, {calls} failed"
