"""Requests and replies as values: Request, RequestFields, ReplyHead, Reply. They do nothing but look things up.

Hot path: values are built for every message; measured by `make bench`.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

import msgspec

from shardgate.core.request import Field as Field
from shardgate.core.request import ReplyHead as ReplyHead
from shardgate.core.request import Request as Request
from shardgate.core.request import RequestFields as RequestFields

_name = itemgetter(0)
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# RFC 9110 section 15.4.5: a 304 does not repeat the headers that describe the body.
NOT_IN_304: Final = frozenset(
    {
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-range",
        b"content-type",
    }
)


def names_of(fields: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    """The names of fields, in lower case. Replies one after another have the same, so that they are remembered."""
    return _lowered(tuple(map(_name, fields)))


@lru_cache(maxsize=128)
def _lowered(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(map(bytes.lower, names))


@lru_cache(maxsize=128)
def _places(names: tuple[bytes, ...]) -> dict[bytes, int]:
    """Lower-case name → the number of the first field that has it."""
    return {name.lower(): number for number, name in reversed([*enumerate(names)])}


class Reply(msgspec.Struct):
    """A whole reply: one of a shard that was collected, or one of the gateway that is to be sent."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    reason: bytes | None = None

    def field(self, name: bytes) -> bytes | None:
        """The first value of a field, by its lower-case name."""
        fields = self.fields
        place = _places(tuple(map(_name, fields))).get(name)
        return None if place is None else fields[place][1]
