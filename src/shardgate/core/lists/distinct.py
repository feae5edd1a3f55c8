"""Rows that several shards have, shown once: which of the copies counts.

Holds: of the rows with one identity exactly one stays, in its place of the order, whichever shard was quicker.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from shardgate.core.lists.tables import Tables
from shardgate.core.order.key_reader import reader
from shardgate.core.order.sort_key import KeyConfig, sort_key, transform
from shardgate.core.topology import ShardId


class Dedupe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes two rows one, and which of them is shown."""

    by: str
    """The sort key that is the same in all copies of a row."""
    winner: Literal["first", "last", "highest", "lowest"] = "first"
    """The first or the last shard's, in the order of the configuration; or the one with the highest or lowest `of`,
    and among equals the first shard's."""
    of: str | None = None
    """The sort key that decides: `updated_at`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The sort keys that must be known of each row."""
        return (self.by,) if self.of is None else (self.by, self.of)


def distinct(
    rule: Dedupe, keys: Mapping[str, KeyConfig], tables: Tables, ranked: Sequence[int], shards: Sequence[ShardId]
) -> list[int]:
    """The ranked rows, each identity once. Raises msgspec.DecodeError, ValueError."""
    chosen = tuple((name, sort_key(keys[name])) for name in rule.names)
    values = [row for sample in tables.samples for row in reader(chosen).read(sample.body)]
    place = {shard: n for n, shard in enumerate(shards)}
    change = transform(chosen[-1][1]) if rule.of is not None else None

    def weight(n: int) -> Any:
        """What decides; a row without it loses to one that has it."""
        value = values[n][-1]
        return value if change is None or value is None else change(value)

    best: dict[Any, int] = {}
    for n in sorted(ranked, key=lambda n: place[tables.owners[n]], reverse=rule.winner == "last"):
        identity = values[n][0]
        held = best.get(identity)
        if held is None or (rule.of is not None and _beats(weight(n), weight(held), highest=rule.winner == "highest")):
            best[identity] = n
    kept = set(best.values())
    return [n for n in ranked if n in kept]


def _beats(value: Any, other: Any, *, highest: bool) -> bool:
    if value is None or other is None:
        return other is None and value is not None
    return bool(value > other if highest else value < other)
