"""What became of one request: the plain values that metrics and the access log are made of.

Holds: filled in as the request goes, and read once, when it is over. Instants are of one clock that only goes forward.
"""

from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from shardgate.core.errors import CutOff
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId

CLIENT_GONE: Final = "client_gone"
DRAIN: Final = "drain"
CUT_OFFS: Final = get_args(CutOff)
"""Why a reply did not reach its end; core/errors.py says what each means."""


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
    """The shards that the request was sent to."""
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
