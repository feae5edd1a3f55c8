"""What earlier replies taught: which shard has a key.

A shard may say of any key that it has it, so one shard alone is believed only while no other says the same. Two that
do are a dispute: the key is then unknown here, and is found by asking all, until one alone has it.

Holds: bounded; where there is no room, the space with the most keys loses its oldest. What one shard showed never
replaces what another showed before.
Hot path: each row of a page that is shown is learned.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from shardgate.core.contracts import UNKNOWN, Unknown
from shardgate.core.eldest import drop_oldest
from shardgate.core.limits import LEARNED_KEY_CHARACTERS_MAX
from shardgate.core.topology import ShardId

OnDispute = Callable[[str, str, ShardId, ShardId], None]
"""Called with the space, the key, the shard that showed it before, and the one that shows it now."""

_key, _shard = itemgetter(0), itemgetter(1)
_NOTHING: Final[dict[str, ShardId]] = {}
_DISPUTED = ""
"""In place of a shard: several have shown the key."""


class LearnedKeys:
    """One bounded table for each space, and a bound for all of them. One a worker."""

    __slots__ = ("_count", "_on_dispute", "_size", "_spaces")

    def __init__(self, size: int, on_dispute: OnDispute | None = None) -> None:
        """`size`: of all tables together; `on_dispute`: called once for each dispute."""
        self._size = size
        self._on_dispute = on_dispute
        self._spaces: dict[str, dict[str, ShardId]] = {}
        self._count = 0

    def recall(self, space: str, key: str) -> ShardId | Unknown:
        """The only shard that has shown this key."""
        return self._of(space).get(key) or UNKNOWN

    def learn(self, space: str, key: str, shard: ShardId) -> None:
        """This shard showed this key. Where another did before, the key is disputed from now on."""
        known = self._of(space).get(key)
        if known != shard:
            if known is None:
                self.settle(space, key, shard)
            else:
                self._dispute(space, key, known, shard)

    def learn_rows(self, space: str, rows: Sequence[tuple[str, ShardId]]) -> None:
        """The same for the keys of many rows. Most were learned before."""
        known = list(map(self._spaces.get(space, _NOTHING).get, map(_key, rows)))
        if known != list(map(_shard, rows)):
            for key, shard in rows:
                self.learn(space, key, shard)

    def learn_copy(self, space: str, key: str, shard: ShardId) -> None:
        """This shard showed this key, which others may have, too: each of them will do."""
        if key not in self._of(space):
            self.settle(space, key, shard)

    def settle(self, space: str, key: str, shard: ShardId) -> None:
        """All shards were asked, and this one alone has the key."""
        if len(key) > LEARNED_KEY_CHARACTERS_MAX:
            return
        table = self._of(space)
        if key not in table:
            if self._count >= self._size:
                self._make_room()
            self._count += 1
        table[key] = shard

    def forget(self, space: str, key: str) -> None:
        """The shard does not have it any more; or none has."""
        if self._of(space).pop(key, None) is not None:
            self._count -= 1

    def entries(self) -> list[tuple[str, str]]:
        """The space and the key of everything that is known."""
        return [(space, key) for space, table in self._spaces.items() for key in table]

    def is_disputed(self, space: str, key: str) -> bool:
        """Whether several shards have shown this key."""
        return self._of(space).get(key) == _DISPUTED

    def _of(self, space: str) -> dict[str, ShardId]:
        """The table of a space; there are only as many as the configuration names."""
        table = self._spaces.get(space)
        if table is None:
            table = self._spaces[space] = {}
        return table

    def _make_room(self) -> None:
        """The space with the most keys loses its oldest."""
        table = max(self._spaces.values(), key=len)
        before = len(table)
        drop_oldest(table)
        self._count -= before - len(table)

    def _dispute(self, space: str, key: str, before: ShardId, shard: ShardId) -> None:
        if before != _DISPUTED:
            self._of(space)[key] = _DISPUTED
            if self._on_dispute is not None:
                self._on_dispute(space, key, before, shard)
