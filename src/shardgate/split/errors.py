"""The two ways a split ends badly: refused before it wrote, or failed after."""

from collections.abc import Sequence


class SplitError(Exception):
    """A split that did not happen, with the reasons as a person should read them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


class RefusedError(SplitError):
    """What was asked cannot be done; nothing was written."""


class FailedError(SplitError):
    """The split began and could not be finished; its targets stay marked as unusable."""
