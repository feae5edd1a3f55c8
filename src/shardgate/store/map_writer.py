"""Writes the file of a map: entries in any order come in, and are sorted by their digests in bounded memory.

Holds: 64 spools on the disk, each sorted alone: about a hundredth of the keys is in memory at a time. Two keys with one
digest are noticed, and the file is then made again with another salt.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from zlib import crc32

import msgspec

from shardgate.store.directory_map import BUCKET, DIGEST_BYTES, HEAD, MAGIC, SALT_BYTES, MapHeader, digest_of

EQUAL: Final = "~"
"""The value of keys as they compare begins so: one spelling, on this shard."""
EQUALS: Final = "="
"""Several spellings, all of them on this shard."""
DISPUTED: Final = "!"
"""Several spellings on several shards."""

_SPOOL_BITS: Final = 6
_SPOOLS: Final = 1 << _SPOOL_BITS
_SPOOL_BUFFER_BYTES: Final = 64 * 1024
_ENTRIES_A_BUCKET: Final = 100
_BUCKET_BITS_MAX: Final = 24
_WIDE: Final = 4

PlacedKey = tuple[bytes, str]
"""A key with its prefix, and its value."""


class _CollisionError(Exception):
    """Two keys have one digest."""


class _ManyValuesError(Exception):
    """There are more values than a byte can number."""


def write_map(
    path: Path,
    entries: Callable[[], Iterable[PlacedKey]],
    epoch: int,
    token: int | None,
    compares: list[tuple[str, str]],
) -> int:
    """Make the file, and rename it when it is whole; returns how many entries it has.

    `entries` gives all of them, again where it is called again. Raises OSError.
    """
    value_bytes = 1
    while True:
        try:
            with ExitStack() as stack:
                writer = _Writer(path, os.urandom(SALT_BYTES), value_bytes, stack)
                writer.spool(entries())
                return writer.write(epoch, token, compares)
        except _CollisionError:
            continue
        except _ManyValuesError:
            value_bytes = _WIDE


class _Writer:
    def __init__(self, path: Path, salt: bytes, value_bytes: int, stack: ExitStack) -> None:
        self._path = path
        self._salt = salt
        self._value_bytes = value_bytes
        self._values: dict[str, int] = {}
        self._count = 0
        self._spools: list[IO[bytes]] = []
        for _ in range(_SPOOLS):
            spool = TemporaryFile(dir=path.parent, buffering=_SPOOL_BUFFER_BYTES)  # noqa: SIM115 - the stack closes it
            self._spools.append(stack.enter_context(spool))

    def spool(self, entries: Iterable[PlacedKey]) -> None:
        values, salt, size = self._values, self._salt, self._value_bytes
        writes = [spool.write for spool in self._spools]
        ends: dict[str, bytes] = {}
        count = 0
        for name, value in entries:
            end = ends.get(value)
            if end is None:
                if len(values) == 1 << (8 * size):
                    raise _ManyValuesError
                number = values.setdefault(value, len(values))
                end = ends[value] = number.to_bytes(size, "little")
            digest = digest_of(name, salt)
            writes[digest[0] >> (8 - _SPOOL_BITS)](digest + end)
            count += 1
        self._count = count

    def write(self, epoch: int, token: int | None, compares: list[tuple[str, str]]) -> int:
        bits = min(_BUCKET_BITS_MAX, max(_SPOOL_BITS, (self._count // _ENTRIES_A_BUCKET).bit_length()))
        for value in [*self._values]:  # what the spellings of equal keys may become
            if value.startswith(EQUAL):
                self._values.setdefault(EQUALS + value[1:], len(self._values))
                self._values.setdefault(DISPUTED, len(self._values))
        if len(self._values) > 1 << (8 * self._value_bytes):
            raise _ManyValuesError
        # Entries first, into a file of their own: the header says how many are left once equal ones are joined.
        with TemporaryFile(dir=self._path.parent) as body:
            index, entries = self._sorted(body, bits)
            header = MapHeader(
                epoch=epoch,
                token=token,
                salt=self._salt,
                entries=entries,
                bucket_bits=bits,
                value_bytes=self._value_bytes,
                values=[*self._values],
                compares=compares,
                index_checksum=crc32(index),
            )
            body.seek(0)
            save_map(self._path, header, index, iter(lambda: body.read(1 << 20), b""))
        return entries

    def _sorted(self, body: IO[bytes], bits: int) -> tuple[bytes, int]:
        """Write all entries in order; returns the index and their number."""
        index, first = bytearray(), 0
        for number, spool in enumerate(self._spools):
            spool.seek(0)
            entries = self._joined(spool.read())
            begins = _begins(entries, number, bits)
            for begin, end in pairwise([*begins, len(entries)]):
                data = b"".join(entries[begin:end])
                index += BUCKET.pack(first + begin, crc32(data))
                body.write(data)
            first += len(entries)
        index += BUCKET.pack(first, 0)
        return bytes(index), first

    def _joined(self, data: bytes) -> list[bytes]:
        """The entries of a spool in order, with the spellings of equal keys joined. Raises _CollisionError."""
        size = DIGEST_BYTES + self._value_bytes
        entries = sorted([data[at : at + size] for at in range(0, len(data), size)])
        if len({entry[:DIGEST_BYTES] for entry in entries}) == len(entries):
            return entries
        names = [*self._values]
        joined: dict[bytes, str] = {}
        for entry in entries:
            digest, value = entry[:DIGEST_BYTES], names[int.from_bytes(entry[DIGEST_BYTES:], "little")]
            before = joined.get(digest)
            if before is not None:
                if not (before + value).startswith((EQUAL, EQUALS, DISPUTED)) or not value.startswith(EQUAL):
                    raise _CollisionError
                value = EQUALS + value[1:] if before[1:] == value[1:] else DISPUTED
            joined[digest] = value
        return [digest + self._values[value].to_bytes(self._value_bytes, "little") for digest, value in joined.items()]


def _begins(entries: list[bytes], spool: int, bits: int) -> Iterator[int]:
    """Where each bucket of a spool begins."""
    buckets = 1 << (bits - _SPOOL_BITS)
    for number in range(spool * buckets, (spool + 1) * buckets):
        yield bisect_left(entries, (number << (32 - bits)).to_bytes(4, "big"))


def save_map(path: Path, header: MapHeader, index: bytes, body: Iterable[bytes]) -> None:
    """Write the file beside its place, and rename it when it is on the disk."""
    made = path.with_name(path.name + ".new")
    raw = msgspec.msgpack.encode(header)
    with suppress(FileNotFoundError):
        made.unlink()  # of a builder that was killed
    try:
        file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(HEAD.pack(MAGIC, len(raw), crc32(raw)) + raw + index)
            for block in body:
                opened.write(block)
            opened.flush()
            os.fsync(opened.fileno())
        made.rename(path)
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise
