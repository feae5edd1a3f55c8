"""Reads the shard from the key: the text before the separator stands for a shard."""

from collections.abc import Iterable, Mapping
from typing import Literal

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.locate.compare import compared
from shardgate.core.topology import ShardId


class Prefix(Strategy, frozen=True, tag="prefix"):
    """Read the shard off the key: `lis-1234` with `{lis: lisbon}` is on lisbon."""

    shards: Mapping[str, ShardId]
    """Prefix → shard: `{lis: lisbon}`."""
    separator: str = "-"
    """What stands behind the prefix."""
    compare: Literal["text", "case_insensitive", "link"] = "text"
    """How the application compares keys: with `case_insensitive`, `LIS-1` has the prefix `lis`; with `link`,
    `/libraries/lis-1` has it."""

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.shards.values()

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard of the key's prefix."""
        prefix, found, _ = (compared(key, "link") if self.compare == "link" else key).partition(self.separator)
        if not found or self.compare != "case_insensitive":
            return self.shards.get(prefix, UNKNOWN) if found else UNKNOWN
        folded = prefix.casefold()
        return next((shard for name, shard in self.shards.items() if name.casefold() == folded), UNKNOWN)
