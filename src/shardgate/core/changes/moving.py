"""The phases of a movement, as a table: what the gateways hold in each, and how it goes on after a crash.

    copying ─► catching_up ─► fenced ─► closed ─► committing ─► flipped ─► releasing ─► done

Holds: until `committing` nothing of the movement can be seen, so that it is given up without a trace. From `flipped`
on the target owns the tenants, and the movement goes forward only. In `committing` alone it must be looked whether
the target has the rows.
"""

from collections.abc import Mapping
from typing import Final, Literal

Phase = Literal[
    "copying",
    "catching_up",
    "fenced",
    "closed",
    "committing",
    "flipped",
    "releasing",
    "done",
    "abandoned",
]
Fencing = Literal["open", "writes", "closed"]
"""What gateways hold: nothing; changes that may be of the tenants; lists and searches, too."""
Recovery = Literal["again", "look", "forward", "over"]
"""What `resume` does: copy again; look whether the target has the rows; finish; nothing."""

FENCES: Final[Mapping[Phase, Fencing]] = {
    "copying": "open",
    "catching_up": "open",
    "fenced": "writes",
    "closed": "closed",
    "committing": "closed",
    "flipped": "closed",
    "releasing": "open",
    "done": "open",
    "abandoned": "open",
}
RECOVERIES: Final[Mapping[Phase, Recovery]] = {
    "copying": "again",
    "catching_up": "again",
    "fenced": "again",
    "closed": "again",
    "committing": "look",
    "flipped": "forward",
    "releasing": "forward",
    "done": "over",
    "abandoned": "over",
}


def fence_of(phase: Phase, *, lives: bool) -> Fencing:
    """What is held in this phase. A mover that is dead holds nothing, unless the rows may be on two shards."""
    if not lives and RECOVERIES[phase] == "again":
        return "open"
    return FENCES[phase]
