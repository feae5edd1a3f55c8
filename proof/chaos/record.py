"""What became of one request of the load, as one process tells it to another."""

from typing import Final, Literal

import msgspec

Word = Literal["ok", "refused", "failed", "cut", "late", "unconnected"]
"""`refused`: by the gateway, with its code. `failed`: another bad status. `cut`: the connection ended before
the reply. `late`: no reply within `PATIENCE_S`. `unconnected`: the port refused the connection."""

PATIENCE_S: Final = 10.0
"""A partner waits no longer."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One request."""

    at_s: float
    """When it was to be sent, on the monotonic clock of the machine."""
    took_s: float
    """From that instant to the end of its reply: waiting is counted, wherever it was."""
    kind: str
    shard: str
    """The letter of the shard that has the key; empty where several are asked."""
    word: Word
    status: int = 0
    code: str = ""
    """Of an error of the gateway."""
    thing: str = ""
    """What a change creates."""
    partner: int = 0
    lag_s: float = 0.0
    """How late it was sent: the load's own lateness."""
    is_partial: bool = False
    """The reply is a list that says that it lacks shards."""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What is over since the last batch."""

    records: list[Record]
    oldest_s: float | None
    """When the oldest request that is under way was to be sent; None: none is under way."""
