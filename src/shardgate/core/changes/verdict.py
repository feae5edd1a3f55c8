"""What the client of a change is told, given how far its entry has come."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from shardgate.core.body.items import ShardItems, rejoin
from shardgate.core.body.numbering import renumbered
from shardgate.core.changes.entry import Entry
from shardgate.core.errors import NotEverywhereError, ReplyPendingError, ShardDownError, ShardgateError, StuckError
from shardgate.core.http import Reply
from shardgate.core.parts.whole import Parts
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import Shard, aliases

STATUS_PATH = "/.shardgate/changes/"
"""Where a client can read what has become of a change that it was told 202 for."""


Joining = Callable[[Sequence[Reply]], Reply]
"""One reply of those of all branches."""


def verdict(entry: Entry, shards: Mapping[str, Shard], rested: Collection[int], join: Joining | None = None) -> Reply:
    """The reply; without `join` the first branch's stands for all. Raises ShardgateError where there is none of the
    application's. `rested`: the branches that did not answer."""
    if entry.state == "done":
        replies = [branch.reply for branch in entry.branches if branch.reply is not None]
        return replies[0] if join is None else join(replies)
    if entry.state == "finishing":
        return accepted(entry, shards)
    status = f"{STATUS_PATH}{entry.token}"
    if entry.state == "stuck":
        raise StuckError(f"the change is not complete, and an operator must look at it: {status}")
    form = entry.terms.position
    refused = [
        renumbered(branch.reply, form, branch.positions)
        for branch in entry.branches
        if branch.phase == "refused" and branch.reply is not None
    ]
    if (refusal := unite(refused, ())) is not None:
        return refusal
    failed = [b.reply for b in entry.branches if b.reply is not None and b.reply.status >= 400]
    if (failure := unite(failed, ())) is not None:
        return failure
    late = [branch.shard for number, branch in enumerate(entry.branches) if number in rested]
    missing = aliases(shards, late)
    if entry.kind == "place" and all(branch.phase == "waiting" for branch in entry.branches):
        raise ShardDownError("the shard that was chosen cannot be reached", missing=missing)
    if entry.kind == "place" or entry.state == "trying":
        raise ReplyPendingError(f"no shard said whether the change was made: {status}", missing=missing)
    raise NotEverywhereError("the change needs every shard, and some did not answer", missing=missing)


def accepted(entry: Entry, shards: Mapping[str, Shard]) -> Reply:
    """202: it is decided, and some shards will have it later."""
    where = f"{STATUS_PATH}{entry.token}".encode()
    fields = [(b"Content-Type", b"application/json"), (b"Location", where), (b"Cache-Control", b"no-store")]
    return Reply(202, fields, _told(entry, shards))


def status(entry: Entry, shards: Mapping[str, Shard]) -> Reply:
    """How far a change has come."""
    return Reply(200, [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")], _told(entry, shards))


def _told(entry: Entry, shards: Mapping[str, Shard]) -> bytes:
    told = {
        "operation": entry.operation,
        "state": entry.state,
        "missing": list(_missing(entry, shards)),
        "status": f"{STATUS_PATH}{entry.token}",
    }
    return msgspec.json.encode(told)


def _missing(entry: Entry, shards: Mapping[str, Shard]) -> tuple[str, ...]:
    settled = {"done", "confirmed", "refused", "undone"}
    late = [branch.shard for branch in entry.branches if branch.phase not in settled]
    return aliases(shards, late)


def rejoined(entry: Entry, replies: Sequence[Reply], items: str, sums: Sequence[str], parts: Parts | None) -> Reply:
    """The replies to the parts of one body as one: the items in the body's order, or the parts of an entity."""
    if parts is not None:
        joined = msgspec.structs.replace(replies[0], body=parts.whole([reply.body for reply in replies]))
    else:
        of_body = [ShardItems(branch.shard, branch.positions) for branch in entry.branches]
        joined = rejoin(of_body, replies, items, sums)
    # A part that was found again after a lost reply was told 200, where the others were told 201.
    joined.status, joined.reason = max((reply.status, reply.reason or b"") for reply in replies)
    return joined


def failure_of(error: ShardgateError) -> tuple[int, dict[str, object]]:
    """A failure as an item's outcome: its status, and what a client may read of it."""
    return error.status, {"code": error.code, "title": error.title, "detail": error.detail}
