"""Which shard owns a slot of keys: of all shards, the one with the highest hash of (slot, shard).

Hot path: compiled. Owners are remembered by slot; a key costs a checksum and a look-up.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final
from zlib import crc32

from shardgate.core.contracts import Known
from shardgate.core.topology import Shard, ShardId

SLOTS: Final = 1 << 14
"""Enough for hundreds of shards to have equal parts within a tenth; few enough to be remembered."""


_checksum: Final = crc32


class SlotOwners:
    """Slot → shard, for each set of shards. There are two while a configuration takes another's place."""

    __slots__ = ("_owners", "_shards", "_tables")

    def __init__(self) -> None:
        self._tables: dict[frozenset[ShardId], dict[int, ShardId]] = {}
        self._shards: Mapping[ShardId, Shard] | None = None
        self._owners: dict[int, ShardId] = {}

    def locate(self, space: str, key: str, known: Known) -> ShardId:
        """The owner of the key's slot, as a locator says it."""
        return self.of_key(key, known.topology.shards)

    def of_key(self, key: str, shards: Mapping[ShardId, Shard]) -> ShardId:
        """The owner of the key's slot."""
        if shards is not self._shards:
            self._owners = self._tables.setdefault(frozenset(shards), {})
            self._shards = shards
        slot = _checksum(key.encode("utf-8", "surrogatepass")) % SLOTS
        owner = self._owners.get(slot)
        if owner is None:
            owner = self._owners[slot] = _highest(slot, shards)
        return owner


def _highest(slot: int, shards: Mapping[ShardId, Shard]) -> ShardId:
    return max([(_score(slot, name), name) for name in shards])[1]


def _score(slot: int, shard: ShardId) -> bytes:
    return blake2b(b"%d %b" % (slot, shard.encode("utf-8", "surrogatepass")), digest_size=8).digest()
