"""Asks all rules of the audit about a configuration.

Holds: a rule whose number stands in `accepted_risks` is silent. Warnings come in the order of their numbers.
"""

from collections.abc import Iterator

import msgspec

from shardgate.audit.access import anybody_may_change
from shardgate.audit.files import secret_files
from shardgate.audit.rule import AuditRule
from shardgate.audit.table import RULES
from shardgate.config.load import Loaded
from shardgate.core.routes.mistakes import Mistake, choose

PAGE = "docs/reference/audit.md"


class AuditWarning(msgspec.Struct, frozen=True):
    """One danger with its rule and its place."""

    rule: AuditRule
    place: str
    """The file, the line and the path: `shardgate.yaml:3: admin`."""
    what: str

    def line(self) -> str:
        """The warning in one line, for a log."""
        return f"{self.rule.number} {self.place}: {self.what}. {self.rule.why} → {self.rule.cure}"

    def mistake(self) -> Mistake:
        """The warning where none is allowed."""
        return Mistake(self.place, f"{self.rule.number}: {self.what}", self.rule.cure)

    def text(self) -> str:
        """The warning for people."""
        return f"{self.place}: {self.rule.number}: {self.what}\n    {self.rule.why}\n    → {self.rule.cure}"


def warnings_in(loaded: Loaded) -> list[AuditWarning]:
    """All dangers that the configuration does not accept."""
    accepted = loaded.config.accepted_risks
    return [
        AuditWarning(rule, loaded.place_of(danger.path), danger.what)
        for rule in RULES
        if rule.number not in accepted
        for danger in rule.find(loaded)
    ]


def audit_mistakes(loaded: Loaded) -> Iterator[Mistake]:
    """What is too dangerous to be served, and numbers in `accepted_risks` that no rule has."""
    for path, file in secret_files(loaded):
        if anybody_may_change(file):
            problem = f"everybody may write into {file}: the secret may be anybody's"
            yield Mistake(loaded.place_of(path), problem, f"write a new secret, then `chmod 600 {file}`")
    numbers = [rule.number for rule in RULES]
    for number in loaded.config.accepted_risks:
        if number not in numbers:
            place = loaded.place_of(f"accepted_risks.{number}")
            yield Mistake(place, f"{number!r} is no number of a warning", choose(number, numbers))
