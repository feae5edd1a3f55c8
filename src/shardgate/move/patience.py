"""How long requests may wait for one attempt to switch: a little at first, and longer after each that was in vain.

Most attempts take a tenth of a second. One that takes long has met something that is over soon: a list that takes
seconds, a busy machine. To begin again later keeps requests waiting for less time than to see it through.

Holds: the longest patience is enough for every tenant that can be moved at all.
"""

from typing import Final

import msgspec

HELD_S_MAX: Final = 10.0
"""With the flip, less than the fence may stand."""
_CLOSED_S: Final = 0.25
_CLOSED_S_MAX: Final = 1.0
_ROWS_S: Final = 0.3
_ROW_S: Final = 40e-6
"""More than twice of what a row takes on a machine that is busy."""


class SwitchPatience(msgspec.Struct, frozen=True):
    """Of one attempt."""

    rows_s: float
    """For the rows."""
    closed_s: float
    """For the gateways to hold lists, and for each step behind it."""


def patience(attempt: int, rows: int) -> SwitchPatience:
    """`attempt`: how many were in vain before it. `rows`: how many move."""
    times = 2**attempt
    return SwitchPatience(min(HELD_S_MAX, (_ROWS_S + _ROW_S * rows) * times), min(_CLOSED_S_MAX, _CLOSED_S * times))
