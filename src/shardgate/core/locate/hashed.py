"""Rendezvous hashing: every gateway computes the same shard from the key and the shards' names alone.

The shard with the highest hash of (key, shard) wins (Thaler and Ravishankar, 1998), so that adding a shard moves
only the
keys that the new one wins. Overrides pin single keys.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from shardgate.core.contracts import Known, Strategy
from shardgate.core.topology import ShardId


class Hash(Strategy, frozen=True, tag="hash"):
    """Compute the shard from the key."""

    overrides: Mapping[str, ShardId] = msgspec.field(default_factory=dict)

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.overrides.values()

    def locate(self, space: str, key: str, known: Known) -> ShardId:
        """The pinned shard, or the one with the highest score."""
        pinned = self.overrides.get(key)
        return pinned or max(known.topology.ids, key=lambda shard: (_score(key, shard), shard))


def _score(key: str, shard: ShardId) -> bytes:
    # The NUL keeps ("a", "bc") and ("ab", "c") apart.
    return blake2b(f"{key}\0{shard}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
