"""The changes of one worker that wait for their turn: one after another, in the order in which they came.

Holds: their number has a bound, and none waits longer than its time. A change that nobody wants any more, because its
client has left, does not get the turn.
Never: reads the time, or waits.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec

from shardgate.core.errors import OverloadError

Standing = Literal["waits", "has the turn", "late", "unwanted", "over"]


class PlaceInLine(msgspec.Struct, eq=False):
    """One change in the line."""

    due_at: float
    """From then on it is too late to begin."""
    wanted: Callable[[], bool]
    standing: Standing = "waits"


class TurnLine:
    """The line of one worker."""

    __slots__ = ("_first", "_waiting", "_waiting_max")

    def __init__(self, waiting_max: int) -> None:
        self._waiting_max = waiting_max
        self._waiting: deque[PlaceInLine] = deque()
        self._first: PlaceInLine | None = None

    def join(self, place: PlaceInLine, now_s: float) -> list[PlaceInLine]:
        """Take the place at the end; it has the turn at once where nobody else has it.

        Returns the places whose standing has changed. Raises OverloadError where too many wait.
        """
        if self._first is None:
            self._give(place)
            return []
        changed: list[PlaceInLine] = []
        if len(self._waiting) >= self._waiting_max:
            changed = [each for each in self._waiting if not self._may_begin(each, now_s)]
            self._waiting = deque(each for each in self._waiting if each.standing == "waits")
        if len(self._waiting) >= self._waiting_max:
            raise OverloadError("too many changes wait for earlier ones", budget="changes_waiting")
        self._waiting.append(place)
        return changed

    def leave(self, place: PlaceInLine, now_s: float) -> list[PlaceInLine]:
        """The change is over, lets others begin, or waits no more. Returns the places whose standing has changed."""
        if place.standing == "waits":
            self._waiting.remove(place)
        place.standing = "over"
        changed: list[PlaceInLine] = []
        if place is self._first:
            self._first = None
            while self._waiting and self._first is None:
                candidate = self._waiting.popleft()
                changed.append(candidate)
                if self._may_begin(candidate, now_s):
                    self._give(candidate)
        return changed

    def _may_begin(self, place: PlaceInLine, now_s: float) -> bool:
        if now_s >= place.due_at:
            place.standing = "late"
        elif not place.wanted():
            place.standing = "unwanted"
        return place.standing == "waits"

    def _give(self, place: PlaceInLine) -> None:
        place.standing, self._first = "has the turn", place
