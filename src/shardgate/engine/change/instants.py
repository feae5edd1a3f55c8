"""The present instant, as the journal writes it down."""

from shardgate.net.clock import boot, now, wall
from shardgate.store.journal import Instant


def instant() -> Instant:
    """Now."""
    return Instant(wall(), now(), boot())
