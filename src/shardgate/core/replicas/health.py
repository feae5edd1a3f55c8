"""Whether one replica is asked, decided by what its calls and its health checks say.

                  failures_max in a row              `left_out_s`, doubled each time
    asked ────────────────────────────► left out ──────────────────────────────────► on trial
      ▲                                     ▲                                            │
      │   a reply                           └───────────── one failure ──────────────────┤
      └──────────────────────────────────────────────────────────────────────────────────┘

A health check stands beside it: while it fails, the replica is not asked, whatever its calls say. The first one
decides alone: nothing else is known of the replica yet.

A reply that breaks off is a failure that came after a success, its head: so these are counted apart. Where half of the
replies break off, and `failures_max` did, the replica is left out; back from that, the first one is enough.

Holds: a replica that is left out is tried again, for ever.
Never: reads a clock.
"""

from shardgate.core.replicas.settings import HealthCheck, ReplicaGuards

# A share of the full weight, at the beginning of a slow start: below it, a replica would hardly be measured.
SLOW_START_SHARE = 0.1
# So many replies begin, for each failure that is allowed in a row, until those that broke off before are forgotten.
FORGOTTEN_FACTOR = 4


class Health:
    """The health of one replica."""

    __slots__ = (
        "_begun",
        "_broken",
        "_broken_times",
        "_check",
        "_checks",
        "_failures",
        "_guards",
        "_is_known",
        "_is_up",
        "_left_out_times",
        "_since_s",
        "has_failed",
        "until_s",
    )

    def __init__(self, guards: ReplicaGuards, check: HealthCheck | None = None) -> None:
        self._guards = guards
        self._check = check
        self._failures = 0
        self._left_out_times = 0
        self._broken = 0  # replies that broke off
        self._begun = 0  # replies that began since the first of them
        self._broken_times = 0  # how often in a row it was left out for them
        self._is_up = True
        self._is_known = check is None  # a check has said whether it is up
        self._checks = 0  # in a row that say otherwise than `_is_up`
        self._since_s: float | None = None  # when it returned; None: it has served from the beginning
        self.until_s: float | None = None
        """Until when it is left out; None: it is not."""
        self.has_failed = False
        """Whether a reply would change anything: its last call failed, replies broke off, or it is left out."""

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

    def answered(self, now_s: float) -> bool:
        """A call got a reply that is no failure. Whether the replica is back by that."""
        self._failures = 0
        self._begun += 1
        if self._begun >= FORGOTTEN_FACTOR * self._guards.failures_max:
            self._broken = self._begun = self._broken_times = 0
        if self.until_s is None or now_s < self.until_s:  # a reply to a call from before it was left out says little
            self._note()
            return False
        self.until_s = None
        self._left_out_times = 0
        self._note()
        return True

    def failed(
        self, now_s: float, *, at_once: bool = False, broke_off: bool = False, enough: int | None = None
    ) -> float | None:
        """A call failed. For how many seconds the replica is left out from now on; None: it is not, or was already.

        `at_once`: this failure is enough. `broke_off`: its reply had begun. `enough`: failures in a row; None: as the
        guards say.
        """
        if self.until_s is not None and now_s < self.until_s:
            return None
        self._failures += 1
        self.has_failed = True
        if broke_off:
            self._broken += 1
        breaks_off = self._breaks_off(enough)
        is_enough = self._failures >= (enough or self._guards.failures_max)
        if not (at_once or breaks_off or self.until_s is not None or is_enough):
            return None
        times = max(self._left_out_times, self._broken_times)
        left_out_s = min(self._guards.left_out_s * 2.0**times, self._guards.left_out_s_max)
        self._left_out_times = min(times + 1, 30)
        if breaks_off:
            self._broken_times = self._left_out_times
        self.until_s = now_s + left_out_s
        self._since_s = self.until_s
        self._failures = self._broken = self._begun = 0
        return left_out_s

    def _breaks_off(self, enough: int | None) -> bool:
        """Whether so many of its replies break off that it is of no use."""
        enough = 1 if self._broken_times else enough or self._guards.failures_max
        return self._broken >= enough and 2 * self._broken > self._begun

    def checked(self, now_s: float, *, is_well: bool) -> bool:
        """A health check is over. Whether the replica's state has changed by it."""
        is_first, self._is_known = not self._is_known, True
        if self._check is None or is_well == self._is_up:
            self._checks = 0
            return False
        self._checks += 1
        if not is_first and self._checks < (self._check.rise if is_well else self._check.fall):
            return False
        self._checks = 0
        self._is_up = is_well
        if is_well:
            self._since_s = now_s
            self.until_s, self._failures, self._left_out_times = None, 0, 0
            self._note()
        return True

    def _note(self) -> None:
        self.has_failed = self._failures > 0 or self.until_s is not None or self._broken > 0 or self._broken_times > 0
