"""A merge that is a plug-in. config/plugins.py makes the plug-in when the configuration is read.

Holds: every call that the plug-in asks for, and every reply that it makes, is checked before it is sent
(core/guard.py says what becomes of errors).
Never: imports anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shardgate.core.contracts import NO_MOMENT, Ask, Merging, Moment, Strategy
from shardgate.core.guard import PluginError, call, is_target, misfit
from shardgate.core.http import Reply, Request
from shardgate.core.replies.foreign import checked
from shardgate.core.topology import ShardId

ROUNDS_MAX: Final = 1000
"""A merge that has no reply after so many rounds never has one."""

_EXPECTED = "a list of one Ask or more, each for a shard that takes part, a GET or POST of a target from `/` on"


class CustomMerge(Strategy, frozen=True, tag="custom"):
    """`{kind: custom, class: "package.module:Class", options: {…}}`, or `{kind: NAME, …}` of an entry point."""

    named: str
    """The plug-in's name for the log: `package.module:Class`."""
    plugin: Any
    """The Merger."""
    summary: str
    """What its `describe` returned when the configuration was read."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request. Raises PluginError."""
        merging = call(self.named, self.plugin, "begin", request, shards, moment)
        return CustomMerging(self.named, merging, shards)

    def describe(self) -> str:
        """The merge in one line."""
        return self.summary


class CustomMerging:
    """One request's merge under way, each result of which is checked."""

    __slots__ = ("_merging", "_named", "_rounds", "_shards")

    def __init__(self, named: str, merging: Any, shards: Sequence[ShardId]) -> None:
        self._named = named
        self._merging = merging
        self._shards = frozenset(shards)
        self._rounds = 0

    def asks(self) -> Sequence[Ask]:
        """The first calls to make. Raises PluginError."""
        return self._checked_asks("asks", call(self._named, self._merging, "asks"))

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or what to ask next. Raises PluginError, or what the plug-in raises of BrokenReplyError."""
        given = call(self._named, self._merging, "take", replies)
        if isinstance(given, list | tuple):
            return self._checked_asks("take", given)
        return checked(self._named, "take", given)

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Which keys the rows of the reply showed, and on which shard. Raises PluginError."""
        pairs = call(self._named, self._merging, "learned")
        if not isinstance(pairs, list | tuple) or not all(self._is_learned(pair) for pair in pairs):
            raise misfit(self._named, "learned", pairs, "a list of (key, shard) with shards that were asked")
        return pairs

    def explain(self) -> Sequence[str]:
        """How the replies are merged, in sentences. Raises PluginError."""
        lines = call(self._named, self._merging, "explain")
        if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
            raise misfit(self._named, "explain", lines, "a list of texts")
        return lines

    def _checked_asks(self, method: str, asks: Any) -> Sequence[Ask]:
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            raise PluginError(f"plug-in {self._named}: there is no reply after {ROUNDS_MAX} rounds")
        if not isinstance(asks, list | tuple) or not asks or not all(self._is_ask(ask) for ask in asks):
            raise misfit(self._named, method, asks, _EXPECTED)
        if len({ask.shard for ask in asks}) < len(asks):
            raise PluginError(f"plug-in {self._named}: {method} asks one shard twice in one round")
        return asks

    def _is_ask(self, ask: Any) -> bool:
        return (
            isinstance(ask, Ask)
            and self._takes_part(ask.shard)
            and is_target(ask.target)
            and isinstance(ask.body, bytes)
            and ask.method in {b"GET", b"POST"}
        )

    def _is_learned(self, pair: Any) -> bool:
        return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) and self._takes_part(pair[1])

    def _takes_part(self, shard: Any) -> bool:
        return isinstance(shard, str) and shard in self._shards
