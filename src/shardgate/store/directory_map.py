"""A file with the shard of every key, as of one epoch: all workers of a machine read the same one.

The keys of a large directory would take each worker 150 bytes apiece. The file has 13 bytes for each, in the order of
their digests, and is read where it is needed: a bucket of about a hundred keys, 1.3 KB. What is read often is in the
memory that the kernel keeps files in, once for all workers.

    head: magic, size and checksum of the header, the header (msgpack)
    index: for each bucket its first entry and its checksum, 8 bytes; one more at the end
    entries: digest (12 bytes), number of the value (1 or 4 bytes); sorted

A digest is of the key and of a salt by chance that nobody outside knows. Whoever builds the file looks that no two keys
have one digest, so that each key of the directory is found exactly. A key that is not in the directory would be taken
for one that is by a chance of 1 in 10^21 in a directory of 10,000,000; the shard that it would be sent to does not
know it either.

Holds: a file is made under another name and renamed when it is whole and on the disk; it is never changed. A file that
is cut short or changed by somebody else is noticed where it is read, by the checksum of the bucket.
Never: maps the file into memory: a worker that reads what is no longer there would be killed (SIGBUS).
"""

import os
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

import msgspec

MAGIC: Final = b"SGMAP\0\0\1"
DIGEST_BYTES: Final = 12
SALT_BYTES: Final = 16
HEAD: Final = Struct("<8sII")
BUCKET: Final = Struct("<II")
_TWO_BUCKETS: Final = Struct("<IIII")
_HEADER_BYTES_MAX: Final = 64 * 1024 * 1024  # of values: shards, and their spellings


class MapError(Exception):
    """The file is not whole, or not a map; the text says why."""


class MapHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a map says of itself."""

    epoch: int
    """It has the keys as of this epoch, or of a later one as far as the log has the changes in between."""
    token: int | None
    salt: bytes
    entries: int
    bucket_bits: int
    value_bytes: int
    values: list[str]
    compares: list[tuple[str, str]]
    """The spaces whose keys are also found as they compare, each with how."""
    index_checksum: int


def key_prefix(space: str) -> bytes:
    """What precedes a key where its digest is made."""
    return f"k{len(space)}:{space}".encode("utf-8", "surrogatepass")


def equal_prefix(space: str, how: str) -> bytes:
    """The same for the one spelling of all keys that are equal."""
    return f"e{how}:{len(space)}:{space}".encode("utf-8", "surrogatepass")


def digest_of(name: bytes, salt: bytes) -> bytes:
    """The digest of a key with its prefix."""
    return blake2b(name, digest_size=DIGEST_BYTES, salt=salt).digest()


class DirectoryMap:
    """One file, opened. Raises MapError, or OSError where there is none."""

    __slots__ = (
        "_entries_at",
        "_entry_bytes",
        "_file",
        "_index",
        "_salt",
        "_shift",
        "header",
        "hot",
        "identity",
        "is_broken",
        "path",
    )

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_broken = False
        """It was found to be changed after it was opened."""
        self.hot: dict[bytes, dict[str, str]] = {}
        """Keys that were asked for, by prefix, with their shards: the file never changes, and so they never do."""
        self._file = -1  # closed by `__del__` also where the file is no map
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._file)
        self.identity = (status.st_dev, status.st_ino, status.st_mtime_ns)
        """Tells this file from the one that replaces it."""
        self.header, index_at = self._read_header()
        self._salt = self.header.salt
        self._shift = 32 - self.header.bucket_bits
        self._entry_bytes = DIGEST_BYTES + self.header.value_bytes
        index_bytes = BUCKET.size * ((1 << self.header.bucket_bits) + 1)
        self._entries_at = index_at + index_bytes
        if status.st_size != self._entries_at + self.header.entries * self._entry_bytes:
            raise MapError(f"{path}: has {status.st_size} bytes, which is not what its header says")
        self._index = os.pread(self._file, index_bytes, index_at)
        if crc32(self._index) != self.header.index_checksum:
            raise MapError(f"{path}: its index was changed")

    def find(self, name: bytes) -> str | None:
        """The value of a key with its prefix; None: it has none. Raises MapError where the file was changed."""
        digest = digest_of(name, self._salt)
        data = self.bucket(int.from_bytes(digest[:4], "big") >> self._shift)
        size, at = self._entry_bytes, data.find(digest)
        while at % size and at >= 0:  # the same bytes, at the end of one entry and the beginning of the next
            at = data.find(digest, at + 1)
        if at < 0:
            return None
        return self.header.values[int.from_bytes(data[at + DIGEST_BYTES : at + size], "little")]

    def bucket(self, number: int) -> bytes:
        """The entries of one bucket. Raises MapError where the file was changed."""
        first, checksum, end, _ = _TWO_BUCKETS.unpack_from(self._index, number * BUCKET.size)
        size = self._entry_bytes
        data = os.pread(self._file, (end - first) * size, self._entries_at + first * size)
        if crc32(data) != checksum or len(data) != (end - first) * size:
            self.is_broken = True
            raise MapError(f"{self.path}: was changed since it was made")
        return data

    def buckets(self) -> Iterator[tuple[int, int]]:
        """The checksum and the number of entries of each bucket."""
        index = self._index
        for at in range(0, len(index) - BUCKET.size, BUCKET.size):
            first, checksum, end, _ = _TWO_BUCKETS.unpack_from(index, at)
            yield checksum, end - first

    def _read_header(self) -> tuple[MapHeader, int]:
        head = os.pread(self._file, HEAD.size, 0)
        if len(head) != HEAD.size or not head.startswith(MAGIC):
            raise MapError(f"{self.path}: is not a map of a directory, or one of another version")
        _, size, checksum = HEAD.unpack(head)
        raw = os.pread(self._file, min(size, _HEADER_BYTES_MAX), HEAD.size)
        if crc32(raw) != checksum:
            raise MapError(f"{self.path}: its header was changed")
        try:
            return msgspec.msgpack.decode(raw, type=MapHeader), HEAD.size + size
        except msgspec.DecodeError as error:
            raise MapError(f"{self.path}: its header cannot be read: {error}") from error

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)


def has_compares(header: MapHeader, compares: Mapping[str, Collection[str]]) -> bool:
    """Whether the map finds keys as all these spaces compare them."""
    built = set(header.compares)
    return all((space, how) in built for space, ways in compares.items() for how in ways)
