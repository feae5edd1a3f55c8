"""The record of one request: the plain values that metrics and the access log are made of.

Holds: it is filled in while the request runs, and read once, when the request is over. Instants are of one clock that
only goes forward.
Hot path: compiled.
"""

from collections.abc import Sequence
from typing import Final, get_args

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import CutOff
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId

CLIENT_GONE: Final = "client_gone"
DRAIN: Final = "drain"
DEADLINE: Final = "deadline"
CUT_OFFS: Final = get_args(CutOff)
"""Why a reply did not reach its end; core/errors.py says what each means."""


class Exchange:
    """One request and its reply. A class, no struct: compiled, its members are not looked up by name."""

    route: Route | None = None
    shards: Sequence[ShardId] = ()
    """The shards that the request was sent to."""
    calls: int = 0
    """How many calls to shards the request has taken so far, where it takes more than one."""
    rounds: int = 0
    """In how many rounds these calls were sent."""
    rows_asked: int = 0
    """How many rows the shards were asked for, together, for a page with a limit; 0: it is none."""
    upstream_s: float = 0.0
    """How long the reply waited for shards before it could begin."""
    first_byte_at: float = 0.0
    """When the reply began; 0: it did not."""
    ended_at: float = 0.0
    status: int = 0
    bytes_out: int = 0
    error: str = ""
    """The code of the error that the gateway replied with, or that cut the reply off."""
    cut_off: str = ""
    load: ClientLoad | None = None
    """Where the request is counted while it is under way."""
    is_list: bool = False
    """It is counted among the lists under way."""
    rank: int = -1
    """Of its priority class, where it is counted as under way; -1: it is not."""

    def __init__(
        self,
        request: Request | None,
        request_id: bytes,
        peer: str,
        began_at: float,
        bytes_in: int = 0,
    ) -> None:
        self.request = request
        """None: the bytes were no request."""
        self.request_id = request_id
        self.peer = peer
        self.began_at = began_at
        """When the head of the request was read."""
        self.bytes_in = bytes_in
