"""What one gather works with, and the reply of its own that is made of those of several shards.

Holds: a merged reply has no field that describes one shard's reply.
"""

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import not_

from shardgate.core.contracts import Merging
from shardgate.core.cursors.by_cursor import OpaqueCursorWalk
from shardgate.core.exchange import Exchange
from shardgate.core.held import Holding
from shardgate.core.http import Reply, Request, names_of
from shardgate.core.lists.merging import ListMerging
from shardgate.core.merge.combining import Combination
from shardgate.core.plan.plan import ToGather
from shardgate.core.replies.cache.merged import MergedCaching
from shardgate.core.replies.head_fields import HeadFields
from shardgate.core.replies.validation import EVERY_SHARD, Validation
from shardgate.core.replies.validators import Tagging, Validators
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId
from shardgate.core.value import Value
from shardgate.core.wire.cookie_jar import CookieJar
from shardgate.engine.cluster import Snapshot

# These fields describe one shard's reply; a merged reply has its own, or none.
_NOT_MERGED = frozenset(
    {
        b"accept-ranges",
        b"age",
        b"content-digest",
        b"content-encoding",
        b"content-location",
        b"content-md5",
        b"digest",
        b"etag",
        b"last-modified",
        b"repr-digest",
        b"set-cookie",
    }
)
_NOR_DATE = _NOT_MERGED | {b"date"}


class Gathering(Value, frozen=True):
    """One request that several shards are asked for."""

    route: Route
    request: Request
    lines: bytes
    """The header lines that every shard is sent."""
    snapshot: Snapshot
    exchange: Exchange
    holding: Holding
    """Counts the replies."""

    @property
    def rank(self) -> int:
        """Of its priority class, 0 being the most important; 0 where there are none."""
        return max(0, self.exchange.rank)


def validation_of(work: Gathering) -> Validation:
    """What the rule says of validators."""
    rule = work.route.rule
    return EVERY_SHARD if rule is None else rule.validators


def head_fields_of(work: Gathering, jar: CookieJar | None) -> HeadFields:
    """What collects the cookies and the Date that the rule wants."""
    rule = work.route.rule
    if rule is None:
        return HeadFields("none", "first")
    return HeadFields(rule.cookies, rule.date, jar, MergedCaching() if rule.cached is not None else None)


def with_own_fields(
    work: Gathering, reply: Reply, validators: Validators | None, merging: Merging, head_fields: HeadFields | None
) -> Reply:
    """The merged reply without the fields of single shards; or 304, where the client has it already.

    `validators`: None where the reply has none. `head_fields`: None where the rule wants no more than the reply has.

    A refusal is one shard's own reply, with all its fields. A page with a cursor that grows too old has no validators.
    """
    if reply.status >= 300:
        return reply
    dropped = _NOT_MERGED if head_fields is None or head_fields.keeps_date else _NOR_DATE
    names = names_of(reply.fields)
    if not dropped.isdisjoint(names):
        reply.fields = list(compress(reply.fields, map(not_, map(dropped.__contains__, names))))
    if head_fields is not None:
        head_fields.apply(reply)
    if validators is None:
        return reply
    if work.route.ages and isinstance(merging, OpaqueCursorWalk) and merging.sealed:
        return reply
    return validators.apply(work.request, reply, work.route.rule, _tagging(merging))


def _tagging(merging: Merging) -> Tagging:
    """What the merged ETag is made of."""
    if isinstance(merging, Combination):
        return merging.tagging
    return "body" if isinstance(merging, ListMerging) and merging.was_searched else "digest"


def rows_asked(merging: Merging) -> int:
    """How many rows the shards were asked for, for a page with a limit; 0: it is none."""
    return merging.rows_asked if isinstance(merging, ListMerging) else 0


def forget_keys(plan: ToGather, snapshot: Snapshot, keys: Iterable[str]) -> None:
    """The shard that was remembered did not show these keys: they may have moved."""
    for space in plan.learn:
        for key in keys:
            snapshot.known.memory.forget(space, key)


def learn_from(plan: ToGather, snapshot: Snapshot, shown: Sequence[tuple[str, ShardId]]) -> None:
    """Remember which shard has shown which keys."""
    memory, merging = snapshot.known.memory, plan.merging
    if isinstance(merging, ListMerging) and merging.has_copies:
        for space in plan.learn:
            for key, shard in shown:
                memory.learn_copy(space, key, shard)
    elif shown:
        for space in plan.learn:
            memory.learn_rows(space, shown)
