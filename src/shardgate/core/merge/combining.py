"""The base of merges that ask every shard once, for what the client asked, and combine the replies.

To write one, at home or outside: a frozen struct whose fields are its configuration, with `combine` and `describe`.

Holds: where a shard refuses, the one refusal stands for all (refusals.py), and `combine` is not called.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import NO_MOMENT, Ask, Moment, Strategy
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId


class Combining(Strategy, frozen=True):
    """One round: N replies become one."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> "Combination":
        """Start the merge of one request."""
        return Combination(self, request, shards)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """One reply out of those of all shards, in the order of the configuration, each with status 200.

        Raises BrokenReplyError, or any ValueError, TypeError, LookupError, ArithmeticError or RecursionError, where a
        reply is not what the rule says: the client reads 502 then, never a merge that may be wrong.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """The merge in one line."""
        raise NotImplementedError

    def refusal(self, replies: Sequence[Reply]) -> Reply | None:
        """The refusal that stands for all; None where the replies can be combined."""
        return unite(replies)


class Combination:
    """One request's merge under way."""

    __slots__ = ("_request", "_rule", "_shards")

    def __init__(self, rule: Combining, request: Request, shards: Sequence[ShardId]) -> None:
        self._rule = rule
        self._request = request
        self._shards = shards

    def asks(self) -> Sequence[Ask]:
        """The client's own request to each shard."""
        return [Ask(shard, self._request.target) for shard in self._shards]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply:
        """The one reply. Raises BrokenReplyError where a shard's is not what the rule says."""
        given = [replies[shard] for shard in self._shards]
        refusal = self._rule.refusal(given)
        if refusal is not None:
            return refusal
        try:
            return self._rule.combine(given)
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise BrokenReplyError("a shard's reply is not what its rule says", log=str(error)) from error

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: what was combined has no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the replies are combined."""
        return [self._rule.describe()]


def told(first: Reply, body: bytes) -> Reply:
    """A combined body, in a reply that is otherwise the first shard's."""
    return Reply(first.status, list(first.fields), body)
