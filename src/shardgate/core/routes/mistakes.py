"""A mistake in a configuration: where it stands, what is wrong, and what to write instead."""

from collections.abc import Iterable

import msgspec


class Mistake(msgspec.Struct, frozen=True):
    """One mistake. `path` is a dotted path like `rules.GET /events.key`; within a rule it begins at the rule."""

    path: str
    problem: str
    cure: str

    def under(self, place: str) -> "Mistake":
        """The same mistake, with its path below another place."""
        dot = "." if place and self.path and not self.path.startswith("[") else ""
        return Mistake(f"{place}{dot}{self.path}", self.problem, self.cure)


def near(name: str, names: Iterable[str], alike: float = 0.6) -> str | None:
    """The name that is meant, if one is written almost alike; `alike`: how much of both must be the same, 0 to 1."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    return next(iter(get_close_matches(name, [*names], 1, alike)), None)


def choose(name: str, names: Iterable[str]) -> str:
    """A cure for an unknown name: the one that is meant, or all that there are."""
    known = sorted(names)
    meant = near(name, known)
    if meant is not None:
        return f"did you mean {meant!r}?"
    return f"there are: {', '.join(known)}" if known else "there are none"
