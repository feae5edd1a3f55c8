"""What became of one request: the plain values that metrics and the access log are made of.

Holds: filled in as the request goes, and read once, when it is over. Instants are of one clock that only goes forward.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId

CLIENT_GONE: Final = "client_gone"
"""The client left before its reply was whole."""
DEADLINE: Final = "deadline"
"""The shard's time ran out in the middle of its reply."""
SHARD_BROKE: Final = "shard"
"""The shard's reply broke off in the middle."""
DRAIN: Final = "drain"
"""The process ended before the reply did."""
GATEWAY: Final = "gateway"
"""The gateway could not go on: memory was short, or it has a defect."""
CUT_OFFS: Final = (CLIENT_GONE, DEADLINE, SHARD_BROKE, DRAIN, GATEWAY)
"""Why a reply that was due did not reach its end."""


class Exchange(msgspec.Struct, gc=False):
    """One request and its reply. `gc=False`: nothing that it refers to refers back."""

    request: Request | None
    """None: its bytes were no request."""
    request_id: bytes
    peer: str
    began_at: float
    """When its head was read."""
    bytes_in: int = 0
    route: Route | None = None
    shards: Sequence[ShardId] = ()
    """Whom it was sent to."""
    upstream_s: float = 0.0
    """How long the reply waited for shards before it could begin."""
    first_byte_at: float = 0.0
    """0: no reply was begun."""
    ended_at: float = 0.0
    status: int = 0
    bytes_out: int = 0
    error: str = ""
    """The code of the error that the gateway answered with, or that ended the reply."""
    cut_off: str = ""
