"""An attack, and what came of it.

Holds: an attack has passed when every request was answered in time, nothing but plain outcomes was seen, and the bounds
were kept. What breaks one is a finding, in words.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from proof.hostile.asking import Answer

if TYPE_CHECKING:
    from proof.hostile.stage import Stage

STALL_MS_MAX = 50.0
"""CPU time for which one request or one reply may hold the loop, on the reference machine."""
MEMORY_MB_MAX = 256.0
"""Memory above idle that one request or one reply may take."""

MANY_STALL_MS_MAX = 250.0
"""The same for a round of the loop that serves many connections: no single request is bound by it."""
MANY_MEMORY_MB_MAX = 384.0
"""The budget of what is held (256 MiB), with half as much for what is on its way."""


class Outcome(msgspec.Struct, frozen=True):
    """What the attacker saw."""

    said: str
    findings: tuple[str, ...] = ()
    """What is wrong beside the costs."""


class Attack(msgspec.Struct, frozen=True):
    """One attack."""

    name: str
    run: Callable[["Stage"], Awaitable[Outcome]]
    stage: str = "stub"
    """The world in which it is tried: `proof.hostile.stage`."""
    slow: bool = False
    """Left out with QUICK=1."""
    many: bool = False
    """The attack is many requests: a round of the loop serves many, and one budget holds what they hold."""


class Verdict(msgspec.Struct, frozen=True):
    """What is written of an attack."""

    name: str
    said: str
    stall_ms: float
    memory_mb: float
    took_s: float
    many: bool = False
    findings: tuple[str, ...] = ()
    lost: int = 0
    stuck: int = 0
    leaked: int = 0

    @property
    def broken(self) -> tuple[str, ...]:
        """All that breaks a bound or a promise."""
        found = list(self.findings)
        stall_ms_max, memory_mb_max = (
            (MANY_STALL_MS_MAX, MANY_MEMORY_MB_MAX) if self.many else (STALL_MS_MAX, MEMORY_MB_MAX)
        )
        if self.stall_ms > stall_ms_max:
            found.append(f"stall {self.stall_ms:,.0f} ms")
        if self.memory_mb > memory_mb_max:
            found.append(f"memory {self.memory_mb:,.0f} MB")
        found += [f"{count} {word}" for word in ("lost", "stuck", "leaked") if (count := getattr(self, word))]
        return tuple(found)


def told(answers: Iterable[Answer], *, allowed: Iterable[int] = (), never: Iterable[int] = (500,)) -> Outcome:
    """The outcome of requests: each is answered or refused in time. `allowed`: no other status; `never`: not this."""
    answers = list(answers)
    words = Counter(answer.word for answer in answers)
    findings = []
    for word, count in words.items():
        if word.endswith("silent"):
            findings.append(f"{count} not answered in time")
        elif word.isdigit() and (int(word) in never or (allowed and int(word) not in allowed)):
            findings.append(f"{count} answered by {word}")
    said = " ".join(word if count == 1 else f"{count}x{word}" for word, count in sorted(words.items()))
    return Outcome(said, tuple(findings))
