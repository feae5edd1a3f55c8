"""What the gateway itself adds to a request, from its access log: how long each took, without the wait for shards.

Holds: both are of one request and of the gateway's own clock, so nothing is guessed by comparing two runs.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec


class _Line(msgspec.Struct):
    time: datetime
    duration_us: int
    ttfb_us: int = 0
    upstream_us: int = 0
    operation: str = ""


def own_ms(lines: Iterable[bytes], since: datetime, until: datetime) -> Mapping[str, list[float]]:
    """Of each request within these instants that shards were asked for, by operation: milliseconds to the first byte of
    the reply, less those for which shards were waited."""
    found: dict[str, list[float]] = {}
    for text in lines:
        line = msgspec.json.decode(text, type=_Line)
        if since <= line.time <= until and line.upstream_us and line.ttfb_us:
            found.setdefault(line.operation, []).append((line.ttfb_us - line.upstream_us) / 1000)
    return found
