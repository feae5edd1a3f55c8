"""Rendezvous hashing of slots: every gateway computes the same shard from the key and the shards' names alone.

A key falls into one of 16,384 slots, and of each slot the shard with the highest hash of (slot, shard) is the owner
(Thaler and Ravishankar, 1998), so that adding a shard moves only the slots that the new one wins. Overrides pin single
keys.

Hot path: owners are remembered by slot (`slots.py`); to hash a key with each of four shards took 2 µs.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shardgate.core.contracts import Known, Locator, Strategy
from shardgate.core.locate.compare import Compare, compared
from shardgate.core.locate.slots import SlotOwners
from shardgate.core.topology import ShardId


class Hash(Strategy, frozen=True, tag="hash"):
    """Compute the shard from the key."""

    overrides: Mapping[str, ShardId] = msgspec.field(default_factory=dict)
    """Key → shard, for keys that have a shard of their own."""
    compare: Compare = "text"
    """How the application compares keys: `text`, `case_insensitive`, `uuid`, `integer` or `link`. Equal keys have one
    shard."""

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.overrides.values()

    @property
    def finder(self) -> Locator:
        """What finds the shard of any key as this does: by compiled code, where it need not look at more."""
        return self if self.overrides or self.compare != "text" else _OWNERS

    def locate(self, space: str, key: str, known: Known) -> ShardId:
        """The pinned shard, or the owner of the key's slot."""
        if self.compare != "text":
            equal = (shard for name, shard in self.overrides.items() if compared(name, self.compare) == key)
            key = compared(key, self.compare)
            if (pinned := next(equal, None)) is not None:
                return pinned
        if (pinned := self.overrides.get(key)) is not None:
            return pinned
        return _OWNERS.of_key(key, known.topology.shards)


_OWNERS: Final = SlotOwners()
