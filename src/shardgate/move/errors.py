"""How a movement ends without success.

Holds: each reason says what is wrong, where, and what the user can do about it.
"""

from collections.abc import Sequence


class MoveError(Exception):
    """A movement that did not succeed, with its reasons as the user reads them, one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


class MoveRefusedError(MoveError):
    """The movement cannot be made as requested. Nothing was touched."""


class MoverBusyError(MoveRefusedError):
    """Another process moves tenants now."""


class MoveFailedError(MoveError):
    """The movement began and could not be finished. `shardgate move --resume` goes on with it."""


class GivenUpError(MoveError):
    """The movement began, could not be finished, and was given up. The tenants are on the source, as before."""


class NotNowError(Exception):
    """The fence must be taken down again: something took longer than requests may wait. The movement tries later."""


class DifferentRowsError(NotNowError):
    """What the target has is not what the source had: the rows must be copied again."""
