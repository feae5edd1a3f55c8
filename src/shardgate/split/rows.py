"""What moves through a split: rows in batches, the keys that decide their shard, and a checksum.

Hot path: about 2.5 us a row; every row is hashed once when read and once when verified.
Holds: the checksum is the sum of 128-bit hashes modulo 2**128. It does not depend on the order of
the rows, and a row lost, doubled or changed shows.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias

import msgspec
from msgspec import Struct

Value: TypeAlias = int | float | str | bytes | None
Values: TypeAlias = tuple[Value, ...]
Row: TypeAlias = Values | bytes  # bytes: the line in which PostgreSQL prints the whole row
Key: TypeAlias = Value | Values  # of one column: its value; of several: all of them

_MODULUS: Final = 1 << 128
_encode = msgspec.msgpack.Encoder().encode


class Content(Struct, frozen=True):
    """How many rows, and the checksum of them."""

    rows: int = 0
    checksum: int = 0

    def __add__(self, other: "Content") -> "Content":
        return Content(self.rows + other.rows, (self.checksum + other.checksum) % _MODULUS)


class Batch(Struct, frozen=True):
    """Some rows of a table, and for each set of key columns asked for, the key of each row."""

    keys: tuple[list[Key], ...]
    rows: Sequence[Row]


class Reader(Protocol):
    """Reads one database as it was at one instant."""

    def values(self, table: str, columns: Sequence[str], weigh: Sequence[str] = ()) -> Iterator[Sequence[Values]]:
        """Single columns; with `weigh`, one more at the end: the bytes these columns take."""
        ...

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Iterator[Batch]: ...

    def query(self, statement: str) -> list[tuple[object, ...]]: ...

    def close(self) -> None: ...


def content_of(rows: Sequence[Row]) -> Content:
    read = int.from_bytes
    printed = [row if isinstance(row, bytes) else _encode(row) for row in rows]
    hashes = [read(blake2b(row, digest_size=16).digest(), "little") for row in printed]
    return Content(len(rows), sum(hashes) % _MODULUS)


def show_key(key: Key) -> str:
    """A key for people, and the text under which a tenant stands in the directory."""
    if isinstance(key, tuple):
        return "(" + ", ".join(map(show_key, key)) + ")"
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)
