"""How much of the document a run saw: computed from the document and from the replies, never by hand.

Holds: a status that cannot be provoked from outside is counted apart, and only where a reason is given for it. A reason
for something that is not documented, or that was seen, is a mistake.
Never: does IO.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Pair = tuple[str, str]
"""An operation's id, and a status as the document names it."""


@dataclass(frozen=True)
class Excuse:
    """Statuses that no client can provoke, and why."""

    reason: str
    pairs: frozenset[Pair]


@dataclass(frozen=True)
class Coverage:
    """What a run saw."""

    operations: int
    operations_seen: int
    statuses: int
    """Those documented that a client can provoke."""
    statuses_seen: int
    excused: int
    missing: tuple[Pair, ...]
    """Documented, not excused, and not seen."""
    mistakes: tuple[str, ...]
    """What is wrong with the excuses."""

    @property
    def whole(self) -> bool:
        """Whether all was seen that can be."""
        return not self.missing and not self.mistakes and self.operations == self.operations_seen

    def line(self) -> str:
        """In words."""
        return (
            f"{self.operations_seen} of {self.operations} operations, "
            f"{self.statuses_seen} of {self.statuses} documented statuses, "
            f"{self.excused} more that no client can provoke"
        )


def excuses_of(listed: Iterable[Mapping[str, Any]], documented: set[Pair]) -> list[Excuse]:
    """The file of excuses as values; `all` stands for every operation that documents the statuses."""
    found = []
    for each in listed:
        statuses = {str(status) for status in each["statuses"]}
        if each["operations"] == "all":
            pairs = {pair for pair in documented if pair[1] in statuses}
        else:
            pairs = {(operation, status) for operation in each["operations"] for status in statuses}
        found.append(Excuse(str(each["reason"]), frozenset(pairs)))
    return found


def covered(documented: set[Pair], seen: set[Pair], excuses: Iterable[Excuse]) -> Coverage:
    """Compare what is documented with what was seen."""
    mistakes: list[str] = []
    excused: set[Pair] = set()
    for excuse in excuses:
        if not excuse.pairs:
            mistakes.append(f"an excuse is for nothing: {excuse.reason}")
        for operation, status in sorted(excuse.pairs):
            if (operation, status) not in documented:
                mistakes.append(f"{operation} does not document {status}: take the excuse away")
            if (operation, status) in seen:
                mistakes.append(f"{operation} answered {status}: take the excuse away")
        excused |= excuse.pairs
    due = documented - excused
    return Coverage(
        operations=len({operation for operation, _ in documented}),
        operations_seen=len({operation for operation, _ in seen & documented}),
        statuses=len(due),
        statuses_seen=len(due & seen),
        excused=len(excused & documented),
        missing=tuple(sorted(due - seen)),
        mistakes=tuple(mistakes),
    )
