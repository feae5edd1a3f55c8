"""What partners ask and what they accept: one file of `scenarios/` a partner, read strictly.

Holds: the same files are read by `k6.js`. A journey is a client's way through several requests; journeys begin at their
rate whatever the replies do. A rate is that of the whole load; `Definition.scaled` makes it smaller.
Never: does IO, but for `read`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

FOLDER = Path(__file__).resolve().parent / "scenarios"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]*")
VIATOR_PEAK_PER_S = 408.0
"""What RATE is a part of: the peak of the partner with the largest load."""


class Breaker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a partner stops asking for a while. A slow call is a failure; a refusal that is expected is none."""

    failures_percent: float
    slow_ms: float
    calls_min: int
    """With fewer calls within a minute it stays closed."""
    open_s: float
    probes: int
    """So many calls are let through after that; it closes if they go well."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a partner accepts of one capability; times from the instant at which the request was due."""

    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    errors_percent: float
    breaker: Breaker | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request. Target and body have holes, which filling.py fills."""

    capability: str
    method: Literal["GET", "POST"]
    target: str
    body: Any = None
    think_s: float = 0
    """How long the client thinks before it, on average."""
    expect: tuple[int, ...] = (200, 201)


class Journey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests of one client, one after the other; it ends at the first failure."""

    name: str
    per_s: float
    steps: Sequence[Step]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One partner."""

    partner: str
    why: str
    """Where the rates and limits come from."""
    capabilities: dict[str, Limits]
    journeys: Sequence[Journey]

    def __post_init__(self) -> None:
        """Refuse a step whose capability has no limits, limits that nothing is asked for, and names that k6 refuses."""
        asked = {step.capability for journey in self.journeys for step in journey.steps}
        if asked != set(self.capabilities):
            raise ValueError(f"{self.partner}: not both asked and limited: {sorted(asked ^ set(self.capabilities))}")
        # k6 divides the name of a threshold at commas, and does not run at all where one of them is no tag.
        if wrong := [name for name in (self.partner, *self.capabilities) if not _NAME.fullmatch(name)]:
            raise ValueError(f"{self.partner}: letters, digits and spaces make a name, which these are not: {wrong}")


class Definition(msgspec.Struct, frozen=True):
    """All partners."""

    scenarios: Sequence[Scenario]

    @property
    def requests_per_s(self) -> float:
        """Of all partners together."""
        journeys = [journey for scenario in self.scenarios for journey in scenario.journeys]
        return sum(journey.per_s * len(journey.steps) for journey in journeys)

    def scaled(self, factor: float) -> "Definition":
        """The same mix at another rate."""
        return Definition(
            [
                msgspec.structs.replace(
                    scenario,
                    journeys=[
                        msgspec.structs.replace(journey, per_s=journey.per_s * factor) for journey in scenario.journeys
                    ],
                )
                for scenario in self.scenarios
            ]
        )


def read(folder: Path = FOLDER) -> Definition:
    """The files of a folder. Raises msgspec.ValidationError with the place of a mistake."""
    return Definition([msgspec.json.decode(file.read_bytes(), type=Scenario) for file in sorted(folder.glob("*.json"))])
