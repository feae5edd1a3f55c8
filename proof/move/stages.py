"""Sorts what bystanders waited by what a movement did meanwhile.

Holds: a request counts to every stage that it met between the moment it was due and its reply; so what a stage costs is
seen also where it is short. One that met no movement is quiet.
Never: looks at a clock.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

from proof.chaos.judged import percentile

Kind = Literal["reads", "lists", "changes"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Stage = Literal["checking", "copying", "rows", "switching", "clearing", "control"]

STAGES: Final[dict[Stage, str]] = {
    "checking": "what speaks against it is looked for",
    "copying": "rows are copied, and changed ones again",
    "rows": "changes of the tenant wait, and both databases are locked",
    "switching": "lists wait, too",
    "clearing": "all go on; triggers and tables beside are removed",
    "control": "nothing moves; a process takes as much of the processors as a movement",
}
# What begins at each point that a movement passes (proof/move/moving); others begin nothing.
_BEGINS: Final[dict[str, Stage]] = {
    "copying": "copying",
    "catching_up": "copying",
    "fenced": "rows",
    "closed": "switching",
    "releasing": "clearing",
}


class Asked(NamedTuple):
    """One request of a bystander."""

    kind: Kind
    due_at: float
    ended_at: float

    @property
    def took_s(self) -> float:
        """From when it was due."""
        return self.ended_at - self.due_at


class Span(NamedTuple):
    """A stretch of time in which one stage lasted."""

    stage: Stage
    began_at: float
    ended_at: float


def spans_of(began_at: float, ended_at: float, points: Sequence[tuple[str, float]]) -> list[Span]:
    """The stages of one movement, whose points were passed at these moments."""
    begun: list[tuple[Stage, float]] = [("checking", began_at)]
    begun += [(_BEGINS[name], at) for name, at in points if name in _BEGINS]
    ends = [at for _, at in begun[1:]] + [ended_at]
    return [Span(stage, since, until) for (stage, since), until in zip(begun, ends, strict=True) if until > since]


class Waits(NamedTuple):
    """How long requests of one kind took."""

    requests: int
    p50_ms: float
    p99_ms: float


def waits_of(asked: Sequence[Asked], spans: Sequence[Span], kind: Kind) -> dict[str, Waits]:
    """By `quiet`, `moving` and each stage; what was not met is not in it."""
    found: dict[str, list[float]] = {}
    ordered = sorted(spans, key=lambda span: span.began_at)
    for each in asked:
        if each.kind == kind:
            for name in _names(each, ordered):
                found.setdefault(name, []).append(each.took_s)
    return {
        name: Waits(len(times), percentile(times, 50) * 1000, percentile(times, 99) * 1000)
        for name, times in found.items()
    }


def _names(each: Asked, spans: Sequence[Span]) -> set[str]:
    met: set[str] = {span.stage for span in spans if span.began_at < each.ended_at and each.due_at < span.ended_at}
    if not met:
        return {"quiet"}
    return met if met == {"control"} else {*met, "moving"}
