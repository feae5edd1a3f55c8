"""Ids for requests whose clients sent none: `7f3a9c01d2e4-1c05`, which no other request of any worker has.

Hot path: an id is made by C alone.
"""

from collections.abc import Iterator
from itertools import chain, count, repeat
from operator import add
from typing import Final

_AT_ONCE: Final = 256
_ENDS: Final = [b"%02x" % number for number in range(_AT_ONCE)]


def ids_of_requests(prefix: bytes) -> Iterator[bytes]:
    """The ids of one worker, without end. No other worker has its prefix."""
    first = map(b"%b-%x".__mod__, zip(repeat(prefix), range(_AT_ONCE), strict=False))
    # Two texts joined: a third of what it costs to format a number.
    others = (map(add, repeat(b"%b-%x" % (prefix, number)), _ENDS) for number in count(1))
    return chain(first, chain.from_iterable(others))
