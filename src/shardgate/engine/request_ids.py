"""Ids for requests whose clients sent none: `7f3a9c01d2e4-1c05`, which no other request of any worker has.

Hot path: an id is made by C alone.
"""

from collections.abc import Iterator
from itertools import count, repeat


def ids_of_requests(prefix: bytes) -> Iterator[bytes]:
    """The ids of one worker, without end. No other worker has its prefix."""
    return map(b"%b-%x".__mod__, zip(repeat(prefix), count(), strict=False))
