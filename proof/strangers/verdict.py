"""What came of one application, and the lines and files in which it is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.strangers.both import Exchange

EQUAL_MIN = 0.97
"""The least part of the requests of an application that must be answered byte for byte."""
REQUESTS_MIN = 150
"""The least number of requests of a full run of an application."""


@dataclass(frozen=True)
class Verdict:
    """What came of one application."""

    name: str
    title: str
    asked: Sequence[Exchange]
    skipped: str = ""
    """What this machine lacks to run it; empty if it ran."""
    failed: str = ""
    """Why it came to no end; empty if it did."""

    @property
    def natural(self) -> list[Exchange]:
        """Unlike, for a reason of nature."""
        return [exchange for exchange in self.asked if exchange.natural is not None]

    @property
    def other(self) -> list[Exchange]:
        """Unlike, without a reason."""
        return [exchange for exchange in self.asked if exchange.other is not None]

    @property
    def equal(self) -> int:
        """How many were answered byte for byte."""
        return len(self.asked) - len(self.natural) - len(self.other)

    def broken(self, *, quick: bool) -> list[str]:
        """What an application that ran does not hold."""
        found = [f"it came to no end: {self.failed}"] if self.failed else []
        found += [f"{len(self.other)} differences"] if self.other else []
        if not quick and len(self.asked) < REQUESTS_MIN:
            found.append(f"{len(self.asked)} requests, fewer than {REQUESTS_MIN}")
        if not quick and self.equal < EQUAL_MIN * len(self.asked):
            found.append(f"{self.equal} of {len(self.asked)} equal, less than {EQUAL_MIN:.0%}")
        return found


def lines(verdicts: Sequence[Verdict]) -> list[str]:
    """The table, a line for each that was skipped, and the last line."""
    ran = [verdict for verdict in verdicts if not verdict.skipped and not verdict.failed]
    skipped = [verdict for verdict in verdicts if verdict.skipped]
    told = [f"{'application':<46} requests  equal        by nature  other"]
    for verdict in ran:
        asked = len(verdict.asked)
        share = f"{verdict.equal:>5} {verdict.equal / max(asked, 1):>7.1%}"
        told.append(f"{verdict.title:<46} {asked:>8}  {share} {len(verdict.natural):>9}  {len(verdict.other):>5}")
    told += [f"SKIPPED: {verdict.title}: {verdict.skipped}" for verdict in skipped]
    failed = [verdict for verdict in verdicts if verdict.failed]
    told += [f"FAILED: {verdict.title}: {verdict.failed}" for verdict in failed]
    told.append(_last(ran, skipped, failed))
    return told


def _last(ran: Sequence[Verdict], skipped: Sequence[Verdict], failed: Sequence[Verdict]) -> str:
    asked, equal = sum(len(verdict.asked) for verdict in ran), sum(verdict.equal for verdict in ran)
    natural, other = sum(len(verdict.natural) for verdict in ran), sum(len(verdict.other) for verdict in ran)
    said = f"strangers: {len(ran)} applications, {asked} requests, {equal} equal, {natural} by nature, {other} other"
    said += f"; FAILED: {', '.join(verdict.name for verdict in failed)}" if failed else ""
    return said + (f"; SKIPPED: {', '.join(verdict.name for verdict in skipped)}" if skipped else "")


def written(verdict: Verdict) -> str:
    """The file of one application: kinds of requests, and each difference with its reason."""
    text = [f"# {verdict.title}: {len(verdict.asked)} requests, {verdict.equal} equal", ""]
    text += [f"{count:>6}  {kind}" for kind, count in Counter(exchange.kind for exchange in verdict.asked).items()]
    reasons: dict[str, list[Exchange]] = {}
    for exchange in verdict.natural:
        reasons.setdefault(str(exchange.natural), []).append(exchange)
    for reason, exchanges in reasons.items():
        text += ["", f"## By nature: {reason}", ""]
        text += [f"- {exchange.method} {exchange.target}" for exchange in exchanges]
    if verdict.other:
        text += ["", "## Other", ""]
        text += [f"- {exchange.method} {exchange.target}: {exchange.other}" for exchange in verdict.other]
    return "\n".join(text) + "\n"


def keep(verdict: Verdict, folder: Path) -> None:
    """Write the file of an application that ran."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{verdict.name}.md").write_text(written(verdict), encoding="utf-8")
