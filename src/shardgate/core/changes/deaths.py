"""Which dead workers have been dead for so long that another goes on with their changes.

A shard may still work on the last request of a worker that died a moment ago: who asked it now for the outcome would
hear that nothing was made.

Holds: a worker that lives is never among them. Time is of a clock that only goes forward.
"""

from collections.abc import Callable, Iterable


class Deaths:
    """Since when each dead worker is known to be dead."""

    __slots__ = ("_patience_s", "_since")

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since: dict[str, float] = {}

    def due(self, owners: Iterable[str], lives: Callable[[str], bool], now_s: float) -> frozenset[str]:
        """Those of the owners of changes that were dead at each look for `patience_s`."""
        self._since = {owner: self._since.get(owner, now_s) for owner in owners if not lives(owner)}
        return frozenset(owner for owner, since in self._since.items() if now_s - since >= self._patience_s)
