"""Measures how long each step behind the fence takes, for whoever asks why changes have waited.

Holds: the steps add up to the whole.
"""

from shardgate.net.clock import now


class Stopwatch:
    """It runs from its making on."""

    __slots__ = ("_since_s", "steps_s")

    def __init__(self) -> None:
        self._since_s = now()
        self.steps_s: dict[str, float] = {}

    @property
    def total_s(self) -> float:
        """Of all steps that are over."""
        return sum(self.steps_s.values())

    def step(self, name: str) -> None:
        """The step that ends now."""
        instant = now()
        self.steps_s[name] = self.steps_s.get(name, 0.0) + instant - self._since_s
        self._since_s = instant
