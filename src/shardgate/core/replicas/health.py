"""Whether one replica is asked, decided by what its calls and its health checks say.

                  failures_max in a row              `left_out_s`, doubled each time
    asked ────────────────────────────► left out ──────────────────────────────────► on trial
      ▲                                     ▲                                            │
      │   a reply                           └───────────── one failure ──────────────────┤
      └──────────────────────────────────────────────────────────────────────────────────┘

A health check stands beside it: while it fails, the replica is not asked, whatever its calls say.

Holds: a replica that is left out is tried again, for ever.
Never: reads a clock.
"""

from shardgate.core.replicas.settings import HealthCheck, ReplicaGuards

# A share of the full weight, at the beginning of a slow start: below it, a replica would hardly be measured.
SLOW_START_SHARE = 0.1


class Health:
    """The health of one replica."""

    __slots__ = (
        "_check",
        "_checks",
        "_failures",
        "_guards",
        "_is_up",
        "_left_out_times",
        "_since_s",
        "until_s",
    )

    def __init__(self, guards: ReplicaGuards, check: HealthCheck | None = None) -> None:
        self._guards = guards
        self._check = check
        self._failures = 0
        self._left_out_times = 0
        self._is_up = True
        self._checks = 0  # in a row that say otherwise than `_is_up`
        self._since_s: float | None = None  # when it returned; None: it has served from the beginning
        self.until_s: float | None = None
        """Until when it is left out; None: it is not."""

    def join(self, now_s: float) -> None:
        """The replica joins others that serve: it starts slowly, and not before a health check says that it can."""
        self._since_s = now_s
        if self._check is not None:
            self._is_up, self._checks = False, self._check.rise - 1

    def may_serve(self, now_s: float) -> bool:
        """Whether it is asked."""
        return self._is_up and (self.until_s is None or now_s >= self.until_s)

    def weight(self, now_s: float) -> float:
        """The share of its weight that it has: less than 1 while it starts slowly."""
        if self._since_s is None:
            return 1.0
        served_s = now_s - self._since_s
        if served_s >= self._guards.slow_start_s:
            self._since_s = None
            return 1.0
        if served_s <= 0:  # it is left out until then
            return SLOW_START_SHARE
        return max(SLOW_START_SHARE, served_s / self._guards.slow_start_s)

    @property
    def starts_slowly(self) -> bool:
        """Whether it has less than its weight: it returned, or joined, a short time ago."""
        return self._since_s is not None

    @property
    def has_failed(self) -> bool:
        """Whether a reply would change anything: its last call failed, or it is left out."""
        return self._failures > 0 or self.until_s is not None

    def answered(self, now_s: float) -> bool:
        """A call got a reply that is no failure. Whether the replica is back by that."""
        self._failures = 0
        if self.until_s is None or now_s < self.until_s:  # a reply to a call from before it was left out says little
            return False
        self.until_s = None
        self._left_out_times = 0
        return True

    def failed(self, now_s: float, *, at_once: bool = False) -> float | None:
        """A call failed. For how many seconds the replica is left out from now on; None: it is not, or was already.

        `at_once`: this failure is enough.
        """
        if self.until_s is not None and now_s < self.until_s:
            return None
        self._failures += 1
        if not at_once and self.until_s is None and self._failures < self._guards.failures_max:
            return None
        left_out_s = min(self._guards.left_out_s * 2.0**self._left_out_times, self._guards.left_out_s_max)
        self._left_out_times = min(self._left_out_times + 1, 30)
        self.until_s = now_s + left_out_s
        self._since_s = self.until_s
        self._failures = 0
        return left_out_s

    def checked(self, now_s: float, *, is_well: bool) -> bool:
        """A health check is over. Whether the replica's state has changed by it."""
        if self._check is None or is_well == self._is_up:
            self._checks = 0
            return False
        self._checks += 1
        if self._checks < (self._check.rise if is_well else self._check.fall):
            return False
        self._checks = 0
        self._is_up = is_well
        if is_well:
            self._since_s = now_s
            self.until_s, self._failures, self._left_out_times = None, 0, 0
        return True
