"""A gather of a HEAD whose shards are asked by HEAD: sizes that only their replies to HEAD state become one.

Holds: the calls are those of the merge of the GET, so that its validators are the same. Where no shard states a size,
the shards are asked by GET after all.
Never: decides that a HEAD is gathered so; the rule does.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.contracts import Ask, Merging, as_it_came
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.errors import BrokenReplyError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.merge.count import Count
from shardgate.core.merge.listed import Listed
from shardgate.core.replies.refusals import unite
from shardgate.core.replies.totals import whole_total
from shardgate.core.topology import ShardId


def heads_suffice(merge: object) -> bool:
    """Whether the merged head can be made of the heads of the shards' replies."""
    if isinstance(merge, Count):
        return merge.member is None and merge.header is not None
    if not isinstance(merge, Listed) or merge.dedupe is not None or merge.parts is not None:
        return False
    return merge.dialect.streamable != "never" or isinstance(merge.dialect, Ndjson)


def begin_by_head(merge: object, request: Request, by_get: Merging) -> Merging:
    """Ask by HEAD. `by_get`: the merge of the GET; `heads_suffice` holds for its merger."""
    return ListByHead(merge, request, by_get) if isinstance(merge, Listed) else CountByHead(by_get)


class CountByHead:
    """One request's count under way."""

    __slots__ = ("_by_get",)

    def __init__(self, by_get: Merging) -> None:
        self._by_get = by_get

    def asks(self) -> Sequence[Ask]:
        """A HEAD to each shard."""
        return _by_head(self._by_get.asks())

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The sum of the counts in the header."""
        return self._by_get.take(replies)

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a count belongs to no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the counts become one."""
        return self._by_get.explain()


class ListByHead:
    """One request's list under way."""

    __slots__ = ("_by_get", "_is_by_get", "_past_end", "_query", "_request", "_rule")

    def __init__(self, rule: Listed, request: Request, by_get: Merging) -> None:
        self._rule = rule
        self._request = request
        self._by_get = by_get
        self._query = ListQuery(rule, request)
        self._is_by_get = False
        self._past_end: int | None = None

    def asks(self) -> Sequence[Ask]:
        """A HEAD to each shard."""
        return _by_head(self._by_get.asks())

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged head; or what to ask by GET, where no shard states a size.

        Raises BrokenReplyError, and UnreadablePageError where the shards accept what the rule cannot read.
        """
        if self._is_by_get:
            return self._by_get.take(replies)
        rule, shards = self._rule, tuple(replies)
        refusal = unite(list(replies.values()), rule.dialect.accepted, rule.not_here, shards)
        if refusal is not None:
            return refusal if self._past_end is None else rule.dialect.refused(refusal, self._past_end)
        if self._query.order is None:
            raise self._query.unreadable()
        if self._past_end is not None:
            log = f"offset {self._query.page.offset}, size of the whole list {self._past_end}, expected a refusal"
            raise BrokenReplyError("a shard gives a page that is behind the end of the whole list", log=log)
        total = self._total(replies)
        if total is None:
            self._is_by_get = True
            return self._by_get.asks()
        if self._query.is_past(total):
            self._past_end = total
            return _by_head(as_it_came(self._request, shards))
        return self._merged(next(each for each in replies.values() if each.status in rule.dialect.accepted), total)

    def _total(self, replies: Mapping[ShardId, Reply]) -> int | None:
        """The size of the whole list; None where no shard states one."""
        totals: dict[ShardId, int] = {}
        listed = [shard for shard, reply in replies.items() if reply.status in self._rule.dialect.accepted]
        for shard in listed:
            with of_shard(shard):
                stated = self._rule.dialect.open(replies[shard]).total
            if stated is not None:
                totals[shard] = stated
        return whole_total(totals, listed)

    def _merged(self, reply: Reply, total: int) -> Reply:
        page = self._query.page
        left = max(0, total - page.offset)
        shown = left if page.limit is None else min(left, page.limit)
        merged = self._query.merged(b"[]", shown, total, more=page.offset + shown < total, reply=reply)
        merged.body = b""
        return merged

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """What the rows showed, where the shards were asked by GET."""
        return self._by_get.learned() if self._is_by_get else ()

    def explain(self) -> Sequence[str]:
        """What is made of the heads."""
        return ["the sizes that the headers state add up; where no shard states one, all are asked by GET"]


def _by_head(asks: Sequence[Ask]) -> list[Ask]:
    return [msgspec.structs.replace(ask, method=b"HEAD") for ask in asks]
