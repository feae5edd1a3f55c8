"""One deployment by blue/green: the new version is started beside the old one, tested through a listener of its own,
and gets the clients in steps. What goes wrong at any step takes the clients back to the old version, without a person.

*Holds:* clients reach the new version only after all checks have passed. Whatever ends a deployment early, an error of
its own and Ctrl-C included, the old version serves all clients before the error goes on.
*Never:* sleeps or reads a clock but by the one that it is given.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from tools.delivery.verdict import Bounds, Sample, judge

REASON_CHARS_MAX = 160
_KEEP = "keep"


class RefusedError(Exception):
    """The new version is not fit for clients; the text says why."""


class Production(Protocol):
    """Two sets of the gateway behind one load balancer: the *old* one, which serves, and the *new* one."""

    def start(self, version: str) -> str:
        """Start the new set, wait until it is ready, and return the URL of its own listener, which clients do not know.

        Raises RefusedError where it does not become ready.
        """

    def shift(self, percent: int) -> None:
        """Send so many of the clients' requests to the new set, the rest to the old one."""

    def seen(self, since: float) -> tuple[Sample, Sample]:
        """What the load balancer saw of the old and of the new set since an instant of the clock, by all listeners."""

    def keep(self) -> None:
        """The new set is the one that serves; end the old one once its requests are over.

        Raises RefusedError where the old one serves again, because somebody else has decided so.
        """

    def roll_back(self) -> None:
        """All clients to the old set; then end the new one, as far as it came."""


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Seconds; never goes back."""

    def wait(self, seconds: float) -> None:
        """Wait."""


class MachineClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Check(msgspec.Struct, frozen=True):
    """What is asked of the new version before clients are: tests, load."""

    name: str
    run: Callable[[str], str]
    """With the URL of the new version's listener. Returns what was found, in words; raises RefusedError."""
    is_judged: bool = False
    """Whether it is a load: what the load balancer saw of it is then compared with what it saw of the old version."""


class Stage(msgspec.Struct, frozen=True):
    """A share of the clients, and for how long it is watched."""

    percent: int
    seconds: float
    longer: float = 4.0
    """So many times as long where there are too few requests to judge."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a version gets its clients."""

    before_s: float
    """For how long the old version is measured, while it is alone."""
    stages: Sequence[Stage]
    """In this order; the last one has all clients."""
    bounds: Bounds
    poll_s: float = 1.0


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a version."""

    version: str
    kept: bool
    step: str
    """Where it was decided: `start`, the name of a check, `watch at 10 %`."""
    reason: str
    found_s: float
    """From the begin to the decision."""
    rolled_back_s: float = 0.0
    """From the decision until the old version had all clients and the new one was gone."""
    percent: int = 0
    """The largest share of the clients that it ever had."""

    def line(self) -> str:
        """In words."""
        if self.kept:
            return f"{self.version}: kept after {self.found_s:.1f} s: {self.reason}"
        return (
            f"{self.version}: rolled back at '{self.step}': {self.reason}; found after {self.found_s:.1f} s, "
            f"rolled back in {self.rolled_back_s:.1f} s; it had {self.percent} % of the clients"
        )


class Deploying:
    """A deployment under way."""

    def __init__(
        self,
        production: Production,
        version: str,
        checks: Sequence[Check],
        plan: Plan,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._production = production
        self._version = version
        self._checks = checks
        self._plan = plan
        self._clock = clock
        self._say = say
        self._step = "measure before"
        self._percent = 0

    def run(self) -> Deployment:
        """All of it. Raises what is no verdict over the version, after it has rolled back."""
        began_at = self._clock.now()
        try:
            reason = self._advance()
            found_s = self._clock.now() - began_at
            found_at_step, self._step = self._step, _KEEP
            self._production.keep()
        except RefusedError as refused:
            return self._rolled_back(str(refused), began_at)
        except BaseException:
            if self._step != _KEEP:  # from then on the old set may be gone
                self._production.roll_back()
            raise
        return Deployment(
            version=self._version,
            kept=True,
            step=found_at_step,
            reason=reason,
            found_s=found_s,
            percent=self._percent,
        )

    def _rolled_back(self, reason: str, began_at: float) -> Deployment:
        found_at = self._clock.now()
        self._say(f"{self._step}: {_short(reason)}: rolling back")
        self._production.roll_back()
        return Deployment(
            version=self._version,
            kept=False,
            step=self._step,
            reason=_short(reason),
            found_s=found_at - began_at,
            rolled_back_s=self._clock.now() - found_at,
            percent=self._percent,
        )

    def _advance(self) -> str:
        before = self._measure_before()
        self._step = "start"
        url = self._production.start(self._version)
        self._say(f"start: ready at {url}, no client is sent there")
        for check in self._checks:
            self._step = check.name
            since = self._clock.now()
            self._say(f"{check.name}: {check.run(url)}")
            if check.is_judged:
                old, new = self._production.seen(since)
                self._judge(before, old, new, is_over=True)
        beside = before
        reason = ""
        for stage in self._plan.stages:
            reason, beside = self._watch(stage, before, beside)
        return reason

    def _measure_before(self) -> Sample:
        """The old version, alone."""
        since = self._clock.now()
        self._clock.wait(self._plan.before_s)
        before, _ = self._production.seen(since)
        self._say(f"before: {before.line()}")
        return before

    def _watch(self, stage: Stage, before: Sample, beside: Sample) -> tuple[str, Sample]:
        """Returns what was found, and the old version's last whole sample, for a stage in which it has no clients.

        Raises RefusedError where the new version is worse.
        """
        self._step = f"watch at {stage.percent} %"
        self._percent = stage.percent  # said first: where the shift fails half-way, some clients have been there
        since = self._clock.now()
        self._production.shift(stage.percent)
        while True:
            took_s = self._clock.now() - since
            old, new = self._production.seen(since)
            enough = new.requests >= self._plan.bounds.requests_min
            is_over = took_s >= stage.seconds * (1 if enough else stage.longer)
            if old.requests >= self._plan.bounds.requests_min:
                beside = old
            if (reason := self._judge(before, beside, new, is_over=is_over)) is not None:
                return reason, beside
            self._clock.wait(self._plan.poll_s)

    def _judge(self, before: Sample, beside: Sample, after: Sample, *, is_over: bool) -> str | None:
        """What was found; None where more must be measured. Raises RefusedError."""
        verdict = judge(before, beside, after, self._plan.bounds, is_over=is_over)
        if verdict.kind == "roll_back":
            raise RefusedError(verdict.reason)
        if verdict.kind == "wait":
            return None
        self._say(f"{self._step}: {verdict.reason}")
        return verdict.reason


def _short(text: str) -> str:
    return text if len(text) <= REASON_CHARS_MAX else text[: REASON_CHARS_MAX - 1] + "…"
