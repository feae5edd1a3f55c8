"""Which shards have which keys of a group that is asked for by lists: what to ask next, and what the replies say.

A row shows that its shard has a key. That a shard does not have one is believed only of a reply that is whole, and all
of whose rows were asked for: pages may be cut, and an application may ignore a filter that it does not know.

Holds: a key has an owner here only where one shard shows it and every other shard's reply says that it does not, or
where the other shard does not answer at all (as with a probe of one key). All other keys are asked for one by one.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import Ask, ManyKeys, Outcome
from shardgate.core.errors import BrokenReplyError, ShardgateError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.limits import BULK_ROUNDS_MAX
from shardgate.core.topology import ShardId


class KeyGroup:
    """One group of keys, and what the shards have said of it."""

    __slots__ = ("_bulk", "_left", "_open", "_rounds", "_silent", "_unsure", "claims", "keys", "refused")

    def __init__(self, bulk: ManyKeys, keys: Sequence[str], shards: Sequence[ShardId]) -> None:
        self._bulk = bulk
        self.keys = keys
        self.claims: dict[str, list[ShardId]] = {}
        """For each key that was shown: the shards that showed it."""
        self._left = {shard: list(keys) for shard in shards}
        self._open = list(shards)
        self._unsure: set[ShardId] = set()
        self._silent: set[ShardId] = set()
        self._rounds = 0
        self.refused: list[ShardgateError] = []
        """The replies that were no list of the keys that were asked for."""

    def asks(self) -> list[Ask]:
        """What to ask next; nothing once all has been said."""
        return [Ask(shard, self._bulk.target(self._left[shard])) for shard in self._open]

    def take(self, outcomes: Mapping[ShardId, Outcome]) -> None:
        """Take in the outcomes of the last asks."""
        self._rounds += 1
        self._open = [shard for shard, outcome in outcomes.items() if self._goes_on(shard, outcome)]
        if self._rounds == BULK_ROUNDS_MAX:
            self._unsure.update(self._open)
            self._open = []

    def owners(self) -> dict[str, ShardId]:
        """The keys whose owner is certain."""
        if len(self._unsure) > 1:
            return {}
        return {
            key: shards[0] for key, shards in self.claims.items() if len(shards) == 1 and self._unsure <= {shards[0]}
        }

    def lacks(self, key: str, shard: ShardId) -> bool:
        """Whether the lists have said that this shard does not have the key."""
        return shard not in self._unsure and shard not in self._silent and shard not in self.claims.get(key, ())

    def _goes_on(self, shard: ShardId, outcome: Outcome) -> bool:
        """Take in one outcome. Whether the shard is asked again, for the keys that it did not show."""
        if isinstance(outcome, ShardgateError) and outcome.no_reply:
            self._silent.add(shard)
            return False
        left = self._left[shard]
        try:
            shown = self._shown(outcome, left)
        except ShardgateError as error:
            self._doubt(shard, error)
            return False
        asked = set(left)
        known = asked.intersection(shown)
        for key in known:
            self.claims.setdefault(key, []).append(shard)
        self._left[shard] = [key for key in left if key not in known]
        if others := [key for key in shown if key not in asked]:
            found = f"found `{excerpt(others[0] or '')}` among {len(shown)} rows"
            log = f"{found}; the keys are asked for one by one"
            self._doubt(shard, BrokenReplyError("a shard's list has rows for keys that were not asked for", log=log))
            return False
        rows_max = self._bulk.rows_max
        is_whole = not known or (rows_max is not None and len(shown) < rows_max)
        return bool(self._left[shard]) and not is_whole

    def _doubt(self, shard: ShardId, error: ShardgateError) -> None:
        """Take this shard's silence about a key as no sign of anything."""
        error.shard = shard
        self._unsure.add(shard)
        self.refused.append(error)

    def _shown(self, outcome: Outcome, asked: Sequence[str]) -> list[str | None]:
        """The keys of the rows. Raises ShardgateError where the reply is no list."""
        if isinstance(outcome, ShardgateError):
            raise outcome
        if not isinstance(outcome, Reply) or not 200 <= outcome.status < 300:
            said = f"it answered {outcome.status} to a list of {len(asked)} keys; they are asked for one by one"
            raise BrokenReplyError("a shard does not answer by a list of the keys", log=said)
        return list(self._bulk.shown(outcome.body))
