"""Rows that several shards have, shown once: which of the copies is shown.

Holds: of the copies of a row exactly one stays, at its place in the order, whichever shard was quicker.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from shardgate.core.lists.tables import Tables
from shardgate.core.order.key_reader import reader
from shardgate.core.order.sort_key import KeyConfig, sort_key, transform
from shardgate.core.topology import ShardId


class Dedupe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How copies of a row are found, and which of them is shown."""

    by: str
    """The sort key that is the same in all copies of a row: `id`."""
    winner: Literal["first", "last", "highest", "lowest"] = "first"
    """The copy that is shown: that of the `first` or the `last` shard in the order of the configuration; or the one
    with the `highest` or the `lowest` value of `of`, among equal ones that of the first shard."""
    of: str | None = None
    """The sort key that decides where the winner is `highest` or `lowest`: `updated_at`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The sort keys that are read of each row."""
        return (self.by,) if self.of is None else (self.by, self.of)


def distinct(
    rule: Dedupe, keys: Mapping[str, KeyConfig], tables: Tables, ranked: Sequence[int], shards: Sequence[ShardId]
) -> list[int]:
    """The ranked rows without the copies that are not shown. Raises msgspec.DecodeError, ValueError."""
    chosen = tuple((name, sort_key(keys[name])) for name in rule.names)
    values = [row for sample in tables.samples for row in reader(chosen).read(sample.body)]
    place = {shard: n for n, shard in enumerate(shards)}
    change = transform(chosen[-1][1]) if rule.of is not None else None
    same = transform(chosen[0][1])

    def weight(n: int) -> Any:
        """The value of `of`, comparable; None where the row has none."""
        value = values[n][-1]
        return value if change is None or value is None else change(value)

    best: dict[Any, int] = {}
    for n in sorted(ranked, key=lambda n: place[tables.owners[n]], reverse=rule.winner == "last"):
        identity = values[n][0] if same is None or values[n][0] is None else same(values[n][0])
        other = best.get(identity)
        if other is None or (
            rule.of is not None and _beats(weight(n), weight(other), highest=rule.winner == "highest")
        ):
            best[identity] = n
    kept = set(best.values())
    return [n for n in ranked if n in kept]


def _beats(value: Any, other: Any, *, highest: bool) -> bool:
    if value is None or other is None:  # a copy without the value loses to one that has it
        return other is None and value is not None
    return bool(value > other if highest else value < other)
