"""What a run of the bench found, as it is printed, written and judged."""

from statistics import median

import msgspec

from bench.quiet import Quiet
from bench.rig import Run


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One work of one peer under one load: all runs, of which medians are taken."""

    work: str
    peer: str
    connections: int
    rate: float = 0
    """Requests a second, paced; 0: saturation."""
    runs: list[Run]

    def median(self, field: str) -> float:
        """The median of all runs."""
        return float(median(self.values(field)))

    def values(self, field: str) -> list[float]:
        """A field of each run, ascending."""
        return sorted(float(getattr(run, field)) for run in self.runs)


def ratio(ours: Measured, theirs: Measured, field: str) -> float:
    """The median of the rounds' ratios: in each round both are measured one right after the other."""
    if len(ours.runs) != len(theirs.runs):  # a round of one of them failed
        return ours.median(field) / theirs.median(field)
    pairs = zip(ours.runs, theirs.runs, strict=True)
    return median(float(getattr(mine, field)) / float(getattr(other, field)) for mine, other in pairs)


class Single(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that is no rate: memory, scaling."""

    work: str
    peer: str
    unit: str
    value: float | None
    """None: it could not be measured; the note says why."""
    note: str = ""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured. A figure without it says nothing."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    load_before: float
    """Load average when the run began: above about 0.5 the figures are somebody else's too."""


class Report(msgspec.Struct, kw_only=True):
    """All of it."""

    date: str
    quick: bool
    machine: Machine
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    """Peer → how to get it, or what was wrong with its replies."""
    measured: list[Measured] = []
    singles: list[Single] = []
    warnings: list[str] = []
    quiet_before: Quiet | None = None
    quiet_after: Quiet | None = None
    took_s: float = 0

    def find(self, work: str, peer: str, connections: int = 32) -> Measured | None:
        """None where it was not measured."""
        key = (work, peer, connections)
        return next((each for each in self.measured if (each.work, each.peer, each.connections) == key), None)

    def single(self, work: str, peer: str) -> Single | None:
        """None where it was not measured."""
        return next((each for each in self.singles if (each.work, each.peer) == (work, peer)), None)
