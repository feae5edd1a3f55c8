"""The base of merges that send the client's request to every shard once, and combine the replies.

One of your own is a frozen struct whose fields are its configuration, with the methods `combine` and `describe`.

Holds: where a shard refuses, one refusal is the reply (refusals.py), and `combine` is not called.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import NO_MOMENT, Ask, Moment, Strategy
from shardgate.core.errors import BrokenReplyError, UpstreamError
from shardgate.core.http import Reply, Request
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId

_NOT_AS_THE_RULE_SAYS = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


class Combining(Strategy, frozen=True):
    """A merge of one round: N replies become one."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> "Combination":
        """Start the merge of one request."""
        return Combination(self, request, shards)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """One reply out of those of all shards, in the order of the configuration, each with status 200.

        Raises BrokenReplyError, or any ValueError, TypeError, LookupError, ArithmeticError or RecursionError, where a
        reply is not what the rule says. The client is then sent 502, never a merge that may be wrong; the error's text
        is logged.
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
        ordered = [replies[shard] for shard in self._shards]
        refusal = self._rule.refusal(ordered)
        if refusal is not None:
            return refusal
        try:
            return self._rule.combine(ordered)
        except UpstreamError as error:
            error.shard = error.shard or self._at_fault(ordered)
            raise
        except _NOT_AS_THE_RULE_SAYS as error:
            log = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            broken = BrokenReplyError("a shard's reply is not what its rule says", log=log)
            broken.shard = self._at_fault(ordered)
            raise broken from error

    def _at_fault(self, ordered: Sequence[Reply]) -> str:
        """The shards whose replies cannot be combined even alone; none where the replies do not fit each other."""
        replies = zip(self._shards, ordered, strict=True)
        return ",".join([shard for shard, reply in replies if reply.status < 300 and self._fails(reply)])

    def _fails(self, reply: Reply) -> bool:
        try:
            self._rule.combine([reply])
        except Exception:  # a merge of your own may fail in any way; the first failure is the one that is reported
            return True
        return False

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a combined reply belongs to no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the replies are combined."""
        return [self._rule.describe()]


def with_body(first: Reply, body: bytes) -> Reply:
    """The first shard's reply with the combined body."""
    return Reply(first.status, list(first.fields), body)
