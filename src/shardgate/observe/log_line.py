"""One line of the access log, as a value: its members are the log's, in their order."""

from collections.abc import Sequence

import msgspec


class Line(msgspec.Struct, gc=False, omit_defaults=True):
    """One line. Members without a value are left out."""

    time: str
    """When the head of the request was read, UTC."""
    request_id: str
    client: str
    status: int
    duration_us: int
    bytes_in: int
    bytes_out: int
    method: str = ""
    """Method and path are left out where the bytes were no request."""
    path: str = ""
    operation: str = ""
    rule: str = ""
    shards: Sequence[str] = ()
    ttfb_us: int = 0
    upstream_us: int = 0
    error: str = ""
    cut_off: str = ""
    shortened: bool = False
    """The line would have been too long: the path is cut, and the shards are left out."""
