"""Where pages ended on each shard. A client that reads page after page finds the next one in one round.

A position is only a guess: the page is compared with the row before it on each shard, and the search begins anew where
the guess was wrong (selection.py). So a position may be forgotten, out of date, or learned from another client.

Besides, some places of each list are kept for longer: for each stretch of 4,096 rows, as many as a slot has room for. A
page that nobody has walked to lies between two of them, and is expected there (expected.py). A place that led to a
wrong page is forgotten.

The table is a piece of memory that all workers of a gateway share: the next page may be asked of another worker. It is
cut into groups of four slots. A page has its place in one group, by the digest of its list, offset, epoch and shards;
there it takes the slot that was written longest ago.

Holds: bounded. A slot that is read while another worker writes it is no page: its checksum says so.
Never: waits for another worker, or keeps the text of a query.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final
from zlib import crc32

import msgspec

from shardgate.core.contracts import Waymark
from shardgate.core.topology import ShardId

# The places of so many rows of a list are kept together.
STRETCH_ROWS: Final = 4096
# A place is looked for in so many stretches before and behind that of the page.
_STRETCHES: Final = 8

Positions = Mapping[ShardId, int]
"""How many rows of each shard stand before a page."""

SLOT_BYTES: Final = 512
_SLOTS_A_GROUP: Final = 4
_HEAD: Final = Struct("<IIH16s")  # checksum, when it was written, size of the content, name
_CONTENT_BYTES_MAX: Final = SLOT_BYTES - _HEAD.size  # 97 shards with more than 65,535 rows before the page
_WRITINGS: Final = Struct("<I")
_FIRST: Final = SLOT_BYTES  # the first slot counts how often the table was written


def table_bytes(pages: int) -> int:
    """How much memory a table for so many pages takes."""
    return _FIRST + -(-pages // _SLOTS_A_GROUP) * _SLOTS_A_GROUP * SLOT_BYTES


class PageTable:
    """One table for all lists."""

    __slots__ = ("_groups", "_memory")

    def __init__(self, memory: memoryview) -> None:
        """`memory`: at least one group of slots, of zeros at first. See `table_bytes`."""
        self._memory = memory
        self._groups = (len(memory) - _FIRST) // (SLOT_BYTES * _SLOTS_A_GROUP)

    def at(self, epoch: int, shards: Sequence[ShardId]) -> "PagePositions":
        """The pages of one epoch's topology: another directory may put the rows elsewhere."""
        return PagePositions(self, epoch, shards)

    def read(self, name: bytes) -> bytes | None:
        """What is kept under a name of 16 bytes."""
        memory = self._memory
        for at in self._slots(name):
            checksum, writing, size, found = _HEAD.unpack_from(memory, at)
            if found == name and 0 < size <= _CONTENT_BYTES_MAX:
                content = bytes(memory[at + _HEAD.size : at + _HEAD.size + size])
                return content if _checksum(writing, name, content) == checksum else None
        return None

    def write(self, name: bytes, content: bytes) -> None:
        """Keep something under a name of 16 bytes; nothing, where it is too large."""
        if len(content) > _CONTENT_BYTES_MAX:
            return
        memory, oldest, oldest_age = self._memory, 0, -1
        (writing,) = _WRITINGS.unpack_from(memory, 0)
        writing = (writing + 1) & 0xFFFFFFFF
        _WRITINGS.pack_into(memory, 0, writing)
        for at in self._slots(name):
            _, written, size, found = _HEAD.unpack_from(memory, at)
            if found == name:
                oldest = at
                break
            age = (writing - written) & 0xFFFFFFFF if size else 1 << 32
            if age > oldest_age:
                oldest, oldest_age = at, age
        memory[oldest + _HEAD.size : oldest + _HEAD.size + len(content)] = content
        _HEAD.pack_into(memory, oldest, _checksum(writing, name, content), writing, len(content), name)

    def _slots(self, name: bytes) -> range:
        group = int.from_bytes(name[:8], "little") % self._groups
        first = _FIRST + group * _SLOTS_A_GROUP * SLOT_BYTES
        return range(first, first + _SLOTS_A_GROUP * SLOT_BYTES, SLOT_BYTES)


class PagePositions:
    """The pages of one topology."""

    __slots__ = ("_seed", "_shards", "_table")

    def __init__(self, table: PageTable, epoch: int, shards: Sequence[ShardId]) -> None:
        self._table = table
        self._shards = tuple(sorted(shards))
        self._seed = blake2b("\0".join([str(epoch), *self._shards]).encode(), digest_size=16).digest()

    def recall(self, listed: str, offset: int) -> Positions | None:
        """Where the page at this offset of a list begins; None: unknown."""
        content = self._table.read(self._name(listed, offset))
        if content is None:
            return None
        counts = msgspec.msgpack.decode(content, type=list[int | None])
        return {shard: count for shard, count in zip(self._shards, counts, strict=True) if count is not None}

    def learn(self, listed: str, offset: int, positions: Positions) -> None:
        """Remember where the page at this offset of a list begins."""
        counts = [positions.get(shard) for shard in self._shards]
        self._table.write(self._name(listed, offset), msgspec.msgpack.encode(counts))
        if None not in counts:
            self._keep(listed, (offset, *[count for count in counts if count is not None]))

    def near(self, listed: str, offset: int) -> tuple[Waymark | None, Waymark | None]:
        """The nearest places of a list that are known: not behind an offset, and behind it."""
        stretch = offset // STRETCH_ROWS
        below = above = None
        for n in range(stretch, max(-1, stretch - _STRETCHES), -1):
            if (below := max([p for p in self._kept(listed, n) if p[0] <= offset], default=None)) is not None:
                break
        for n in range(stretch, stretch + _STRETCHES):
            if (above := min([p for p in self._kept(listed, n) if p[0] > offset], default=None)) is not None:
                break
        return self._waymark(below), self._waymark(above)

    def forget(self, listed: str, offset: int) -> None:
        """Forget the places around an offset: they led to a wrong page."""
        for place in self.near(listed, offset):
            if place is not None:
                n = place[0] // STRETCH_ROWS
                self._write(listed, n, [kept for kept in self._kept(listed, n) if kept[0] != place[0]])

    def _keep(self, listed: str, place: tuple[int, ...]) -> None:
        """Keep a place, unless there is one near it."""
        n, room = place[0] // STRETCH_ROWS, self._room
        kept = self._kept(listed, n)
        if not room or any(abs(each[0] - place[0]) < STRETCH_ROWS // room for each in kept):
            return
        self._write(listed, n, [*kept, place][-room:])

    def _kept(self, listed: str, stretch: int) -> list[tuple[int, ...]]:
        """Places in a stretch of a list: the offset, and the rows of each shard before it."""
        content = self._table.read(self._name(listed, -1 - stretch))
        return [] if content is None else msgspec.msgpack.decode(content, type=list[tuple[int, ...]])

    def _write(self, listed: str, stretch: int, places: Sequence[tuple[int, ...]]) -> None:
        self._table.write(self._name(listed, -1 - stretch), msgspec.msgpack.encode(places))

    @property
    def _room(self) -> int:
        """How many places one slot has room for, each number in five bytes at most."""
        return (_CONTENT_BYTES_MAX - 3) // (3 + 5 * (1 + len(self._shards)))

    def _waymark(self, place: tuple[int, ...] | None) -> Waymark | None:
        if place is None or len(place) != 1 + len(self._shards):
            return None
        return place[0], dict(zip(self._shards, place[1:], strict=True))

    def _name(self, listed: str, offset: int) -> bytes:
        text = f"{offset}\0{listed}".encode(errors="surrogatepass")
        return blake2b(text, digest_size=16, key=self._seed).digest()


def _checksum(writing: int, name: bytes, content: bytes) -> int:
    return crc32(content, crc32(name, writing))


def alone(pages: int) -> PageTable:
    """A table that is not shared."""
    return PageTable(memoryview(bytearray(table_bytes(pages))))
