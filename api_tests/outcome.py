"""What a run found, as it is kept in a folder, and how two runs are compared.

Holds: two runs agree on a test only where it ended alike and was answered by the same operations with the same
statuses in both.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERDICTS, SEEN = "verdicts.json", "seen"


@dataclass(frozen=True)
class Outcome:
    """One run."""

    verdicts: Mapping[str, str]
    """Test → `passed`, `failed` or `skipped`."""
    replies: Mapping[str, Counter[tuple[str, str]]]
    """Test → how often each operation answered with each status."""

    problems: Counter[tuple[str, str]]
    """How often each operation answered with a status and a problem document, which the document does not have."""

    @property
    def seen(self) -> set[tuple[str, str]]:
        """Every operation with each status that it answered with as documented."""
        counted: Counter[tuple[str, str]] = sum(self.replies.values(), Counter())
        return set(counted - self.problems)

    def count(self, verdict: str) -> int:
        """How many tests ended so."""
        return sum(each == verdict for each in self.verdicts.values())


def read(folder: Path) -> Outcome:
    """The run that was written there. Raises FileNotFoundError where none was finished."""
    verdicts: dict[str, str] = json.loads((folder / VERDICTS).read_text())
    replies: dict[str, Counter[tuple[str, str]]] = {}
    problems: Counter[tuple[str, str]] = Counter()
    for file in sorted((folder / SEEN).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            test, operation, status, problem = json.loads(line)
            replies.setdefault(test, Counter())[operation, status] += 1
            problems[operation, status] += bool(problem)
    return Outcome(verdicts, replies, +problems)


def differences(one: Outcome, other: Outcome, names: tuple[str, str]) -> list[str]:
    """The tests on which two runs do not agree, in words."""
    found = []
    for test in sorted({*one.verdicts, *other.verdicts}):
        mine, theirs = one.verdicts.get(test, "not run"), other.verdicts.get(test, "not run")
        if mine != theirs:
            found.append(f"{test}: {names[0]} {mine}, {names[1]} {theirs}")
            continue
        ours, others = one.replies.get(test, Counter()), other.replies.get(test, Counter())
        if ours != others:
            found.append(f"{test}: {names[0]} answered {_said(ours - others)}, {names[1]} {_said(others - ours)}")
    return found


def _said(replies: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{operation} {status}" for operation, status in sorted(replies)) or "no more"
