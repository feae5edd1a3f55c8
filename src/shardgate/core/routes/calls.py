"""What a rule says of its own calls to shards, where it differs from what the shard's guards say of all calls.

Holds: a rule without such words has none: its calls cost nothing more.
"""

from math import inf
from typing import Annotated, Final, Literal

import msgspec

from shardgate.core.failures.declared import Signs

Retry = Literal["unsent", "idempotent"]
"""What may be sent again at another replica."""

Hedge = Literal["never"] | Annotated[float, msgspec.Meta(gt=0)]
"""Whether a read that is late goes to a second replica too, and after how many seconds at the earliest."""

Breaker = Literal["never"] | Annotated[int, msgspec.Meta(ge=1)]
"""Whether a failed call speaks against its replica, and how many failures in a row are enough."""

NEVER: Final = 0
"""Failures in a row: no number of them."""

IDEMPOTENT: Final = frozenset({"PUT", "DELETE"})
"""The methods that change something, and whose repetition changes nothing more (RFC 9110 section 9.2.2)."""


class CallWords(msgspec.Struct, frozen=True):
    """The words of one rule."""

    retry: Retry | None = None
    """None: reads are sent again, changes only where nothing was sent."""
    hedge_after_s: float = 0.0
    """A read is late after so many seconds at the earliest; inf: it never is."""
    failure_is: Signs = msgspec.field(default_factory=dict)
    """What in the body of a successful reply says that it is a failure."""

    failures_max: int | None = None
    """After so many failures in a row, of which the last is one of these calls, a replica is left out. NEVER: a failure
    of these calls does not count. None: as the guards of the shard say."""

    @property
    def hedges(self) -> bool:
        """Whether reads may be sent to a second replica."""
        return self.hedge_after_s < inf


def words_of(
    retry: Retry | None, hedge: Hedge | None, failure_is: Signs, breaker: Breaker | None = None
) -> CallWords | None:
    """The words of a rule with these fields; None: it has none."""
    if retry is None and hedge is None and breaker is None and not failure_is:
        return None
    after_s = 0.0 if hedge is None else inf if hedge == "never" or retry == "unsent" else hedge
    failures_max = NEVER if breaker == "never" else breaker
    return CallWords(retry, inf if retry == "unsent" else after_s, failure_is, failures_max)
