"""A directory that lies on another machine: what the worker knows of it may be a moment old.

Where that matters, as for a key that is not known, a request waits until the directory was looked at.
"""

from typing import Protocol


class BehindError(Exception):
    """The directory must be looked at before this request can be planned."""


class SharedKnowledge(Protocol):
    """What a worker knows of such a directory."""

    is_fresh: bool
    """The request that is planned now came before the last look."""

    async def catch_up(self) -> None:
        """Look at the directory now. It returns after a bounded time, also where the store cannot be asked."""
