"""The two ways in which a split ends without success: refused before its first write, or failed after it.

Holds: each reason says what is wrong, where, and what the user can do about it.
"""

from collections.abc import Sequence


class SplitError(Exception):
    """A split that did not succeed, with its reasons as the user reads them, one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


class SplitRefusedError(SplitError):
    """The split cannot be done as requested. Nothing was written."""


class SplitFailedError(SplitError):
    """The split began and could not finish. Its targets stay marked as unfinished."""
