"""The client's reply to a change, given how far the change has come."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from shardgate.core.body.items import ShardItems, rejoin
from shardgate.core.body.numbering import renumbered
from shardgate.core.changes.entry import Entry
from shardgate.core.errors import (
    BrokenReplyError,
    NotEverywhereError,
    ReplyPendingError,
    ShardDownError,
    ShardgateError,
    StuckError,
)
from shardgate.core.http import Reply
from shardgate.core.parts.whole import Parts
from shardgate.core.replies.refusals import foremost
from shardgate.core.topology import Shard, aliases

STATUS_PATH: Final = "/.shardgate/changes/"
"""Where a client can read the state of a change that was answered with 202."""


Joining = Callable[[Sequence[Reply]], Reply]
"""Makes one reply out of those of all branches."""


def verdict(entry: Entry, shards: Mapping[str, Shard], rested: Collection[int], join: Joining | None = None) -> Reply:
    """The reply; without `join` it is the first branch's. `rested`: the branches that did not answer.

    Raises ShardgateError where the application has not replied.
    """
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
    if (refusal := foremost(refused)) is not None:
        return refusal
    # A refusal that did not end its branch may be of what an earlier call has made: it says nothing.
    failed = [
        b.reply for b in entry.branches if b.reply is not None and (b.reply.status >= 500 or b.reply.status == 429)
    ]
    if (failure := foremost(failed)) is not None:
        return failure
    late = [branch.shard for number, branch in enumerate(entry.branches) if number in rested]
    missing = aliases(shards, late)
    if entry.kind == "place" and all(branch.phase == "waiting" for branch in entry.branches):
        raise ShardDownError("the shard that was chosen cannot be reached", missing=missing)
    if entry.kind == "place" or entry.state == "trying":
        raise ReplyPendingError(f"no shard said whether the change was made: {status}", missing=missing)
    raise NotEverywhereError("the change needs every shard, and some did not answer", missing=missing)


def accepted(entry: Entry, shards: Mapping[str, Shard]) -> Reply:
    """202: the change is decided, and some shards will have it later."""
    where = f"{STATUS_PATH}{entry.token}".encode()
    fields = [(b"Content-Type", b"application/json"), (b"Location", where), (b"Cache-Control", b"no-store")]
    return Reply(202, fields, _status_body(entry, shards))


def status(entry: Entry, shards: Mapping[str, Shard]) -> Reply:
    """The reply with the state of a change."""
    fields = [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]
    return Reply(200, fields, _status_body(entry, shards))


def _status_body(entry: Entry, shards: Mapping[str, Shard]) -> bytes:
    body = {
        "operation": entry.operation,
        "state": entry.state,
        "missing": list(_missing(entry, shards)),
        "status": f"{STATUS_PATH}{entry.token}",
    }
    return msgspec.json.encode(body)


def _missing(entry: Entry, shards: Mapping[str, Shard]) -> tuple[str, ...]:
    settled = {"done", "confirmed", "refused", "undone"}
    late = [branch.shard for branch in entry.branches if branch.phase not in settled]
    return aliases(shards, late)


def rejoined(
    entry: Entry, replies: Sequence[Reply], items: str | None, sums: Sequence[str], parts: Parts | None
) -> Reply:
    """The replies to the parts of one body as one: the items in the body's order, or the parts as one entity."""
    if parts is not None:
        joined = msgspec.structs.replace(replies[0], body=parts.whole([reply.body for reply in replies]))
    else:
        of_body = [ShardItems(branch.shard, branch.positions) for branch in entry.branches]
        joined = rejoin(of_body, replies, items, sums)
    # A part whose reply was lost is read again: its status is 200, where that of the others is 201.
    joined.status, joined.reason = max((reply.status, reply.reason or b"") for reply in replies)
    return joined


def made_but_broken(error: BrokenReplyError) -> BrokenReplyError:
    """The failure of a change that was made, and whose replies do not become one as the rule says."""
    detail = f"the change was made; the replies cannot be put together: {error.detail}"
    return BrokenReplyError(detail, log=error.log, where=error.where)


def failure_of(error: ShardgateError) -> tuple[int, dict[str, object]]:
    """A failure as the outcome of an item: its status, and the problem for the client."""
    return error.status, {"code": error.code, "title": error.title, "detail": error.detail}
