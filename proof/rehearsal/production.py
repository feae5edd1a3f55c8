"""Production on this machine: two sets of instances behind a load balancer, as `tools.delivery.deployment` drives them.

*Holds:* a set is ready when each of its instances says so itself, and the balancer's health checks pass.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from proof.rehearsal.balancer import Balancer
from proof.rehearsal.runtime import Instance, Runtime
from proof.rehearsal.slots import Colour, Slot, other
from tools.delivery.deployment import RefusedError
from tools.delivery.verdict import Sample

READY_TIMEOUT_S = 30.0
IN_FLIGHT_TIMEOUT_S = 20.0
_POLL_S = 0.1


class LocalProduction:
    """The blue and the green set. `serving` is the old one of a deployment, the other one the new."""

    def __init__(self, runtime: Runtime, balancer: Balancer, sets: Mapping[Colour, Sequence[Slot]]) -> None:
        self._runtime = runtime
        self._balancer = balancer
        self._sets = sets
        self._running: dict[Colour, list[Instance]] = {"blue": [], "green": []}
        self.serving: Colour = "green"

    def start(self, version: str) -> str:
        """The new set."""
        colour = other(self.serving)
        slots = self._sets[colour]
        for slot in slots:
            self._running[colour].append(self._runtime.start(version, slot))
        await_ready(self._running[colour], slots)
        await_true(lambda: all(map(self._balancer.is_up, slots)), "the balancer's health checks did not pass")
        self._balancer.test(colour)
        return self._balancer.test_url

    def shift(self, percent: int) -> None:
        """By weights."""
        self._balancer.shift({other(self.serving): percent, self.serving: 100 - percent})

    def seen(self, since: float) -> tuple[Sample, Sample]:
        """By the balancer's log."""
        old, new = self.serving, other(self.serving)
        return self._balancer.sample(old, since), self._balancer.sample(new, since)

    def keep(self) -> None:
        """The new set serves alone."""
        old, self.serving = self.serving, other(self.serving)
        self._end(old)

    def roll_back(self) -> None:
        """The old set serves alone."""
        self.shift(0)
        self._end(other(self.serving))

    def end(self) -> None:
        """End whatever runs."""
        for instances in self._running.values():
            _stop_all(instances)

    def _end(self, colour: Colour) -> None:
        """A set without clients: its requests are finished first, then it drains."""
        deadline_at = time.monotonic() + IN_FLIGHT_TIMEOUT_S
        while self._balancer.in_flight(colour) and time.monotonic() < deadline_at:
            time.sleep(_POLL_S)
        _stop_all(self._running[colour])


def _stop_all(instances: list[Instance]) -> None:
    """All at the same time, as an orchestrator does."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda instance: instance.stop(), instances))
    instances.clear()


def await_ready(instances: Sequence[Instance], slots: Sequence[Slot]) -> None:
    """Wait until each instance says that it is ready. Raises RefusedError where one ends, or takes too long."""
    for instance, slot in zip(instances, slots, strict=True):
        deadline_at = time.monotonic() + READY_TIMEOUT_S
        while not is_ready(slot):
            if not instance.is_running():
                raise RefusedError(f"{slot.name} ended: {instance.last_words()}")
            if time.monotonic() > deadline_at:
                raise RefusedError(f"{slot.name} was not ready after {READY_TIMEOUT_S:g} s")
            time.sleep(_POLL_S)


def await_true(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait for a condition. Raises RefusedError."""
    deadline_at = time.monotonic() + READY_TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline_at:
            raise RefusedError(f"{otherwise} within {READY_TIMEOUT_S:g} s")
        time.sleep(_POLL_S)


def is_ready(slot: Slot) -> bool:
    """Whether an instance says that clients may be sent to it."""
    try:
        return httpx.get(slot.ready_url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
