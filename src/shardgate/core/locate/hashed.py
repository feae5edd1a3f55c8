"""Rendezvous hashing: every gateway computes the same shard from the key and the shards' names alone.

The shard with the highest hash of (key, shard) wins (Thaler and Ravishankar, 1998), so that adding a shard moves only
the keys that the new one wins. Overrides pin single keys.

Hot path: the key is hashed once; each shard costs one multiplication more (2 µs for four shards instead of 8 µs).
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from shardgate.core.contracts import Known, Strategy
from shardgate.core.topology import ShardId

_MASK = 2**64 - 1


class Hash(Strategy, frozen=True, tag="hash"):
    """Compute the shard from the key."""

    overrides: Mapping[str, ShardId] = msgspec.field(default_factory=dict)

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.overrides.values()

    def locate(self, space: str, key: str, known: Known) -> ShardId:
        """The pinned shard, or the one with the highest score."""
        if (pinned := self.overrides.get(key)) is not None:
            return pinned
        number = _hash(key)
        best, winner = -1, ""
        for shard in known.topology.shards:
            # The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): each bit of the sum reaches every bit of the
            # score. Written out: as a function it would cost half a microsecond more.
            score = number ^ _SEEDS[shard]
            score = ((score ^ (score >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            score = ((score ^ (score >> 27)) * 0x94D049BB133111EB) & _MASK
            score ^= score >> 31
            if score > best or (score == best and shard > winner):
                best, winner = score, shard
        return winner


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class _Seeds(dict[ShardId, int]):
    """The hash of each shard's name; there are as many as shards in the configuration."""

    def __missing__(self, shard: ShardId) -> int:
        seed = self[shard] = _hash(shard)
        return seed


_SEEDS = _Seeds()
