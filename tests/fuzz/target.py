"""A parser of foreign bytes, as a function that must end well whatever it is given.

Holds: what a parser refuses, it refuses with an error of the kind that says who is at fault: a client's bytes with a
ClientError, a shard's with an UpstreamError. Anything else that leaves it is a bug.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from shardgate.core.errors import ClientError, UpstreamError

FOUND = Path(__file__).parent / "found"


class Target(msgspec.Struct, frozen=True):
    """One parser."""

    read: Callable[[bytes], None]
    """Reads an input, and asserts what must hold of the result."""
    refused_by: tuple[type[Exception], ...]
    """What may be raised."""
    seeds: tuple[bytes, ...]

    def run(self, data: bytes) -> bool:
        """Whether it was read. Raises what must not be raised."""
        try:
            self.read(data)
        except self.refused_by:
            return False
        return True


def of_client(read: Callable[[bytes], None], *seeds: bytes) -> Target:
    """A parser of what a client sent."""
    return Target(read, (ClientError,), seeds)


def of_shard(read: Callable[[bytes], None], *seeds: bytes) -> Target:
    """A parser of what a shard said."""
    return Target(read, (UpstreamError,), seeds)


def found(name: str) -> list[bytes]:
    """Inputs that once broke a target."""
    return [file.read_bytes() for file in sorted((FOUND / name).glob("*"))]
