"""Marks a list that lacks shards: a field of its head, and a member of its body, say which, and why.

    Shardgate-Partial: asked=4, answered=3, missing=("porto";reason=timeout), totals=inexact

Holds: a marked reply is never stored (RFC 9111 section 5.2.2.5), and has nothing by which a client or a cache could
take it for the whole list later. A shard is named by its alias.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

import msgspec

from shardgate.core.errors import (
    BrokenReplyError,
    DeadlineError,
    DeclaredFailureError,
    LostReplyError,
    OverloadError,
    ShardDownError,
    ShardgateError,
)
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.topology import Shard, ShardId

Reason = Literal["unreachable", "timeout", "overloaded", "broken", "error", "failure", "earlier"]
"""Why a shard is missing.

`unreachable`: no connection. `timeout`: no reply in time. `overloaded`: no room for one more call. `broken`: the reply
broke off, or was no HTTP. `error`: its status was 500 or higher. `failure`: a body that the rule calls a failure.
`earlier`: the page that gave the cursor or link of this one lacked it.
"""

FIELD: Final = b"Shardgate-Partial"
_REASONS: Final[tuple[tuple[type[ShardgateError], Reason], ...]] = (
    (ShardDownError, "unreachable"),
    (DeadlineError, "timeout"),
    (OverloadError, "overloaded"),
    (DeclaredFailureError, "failure"),
    (BrokenReplyError, "broken"),
    (LostReplyError, "broken"),
)
# What stands for a stored list, or lets one be stored. Targeted fields (RFC 9213) win over Cache-Control.
_OF_WHOLE_LISTS: Final = frozenset({b"etag", b"last-modified", b"expires", b"age", b"surrogate-control", b"pragma"})


class Lack(msgspec.Struct, frozen=True):
    """A shard that is missing."""

    reason: Reason
    status: int | None = None
    """Of its reply, for `error`."""
    error: ShardgateError | None = None
    """What became of its call, for the log; None: it has replied, or was not asked."""


def lack_of(outcome: Reply | ShardgateError) -> Lack | None:
    """Why the shard of this outcome is missing; None: it is not, or its reply must fail the list."""
    if isinstance(outcome, Reply):
        return Lack("error", outcome.status) if outcome.status >= 500 else None
    reason = next((reason for kind, reason in _REASONS if isinstance(outcome, kind)), None)
    return None if reason is None else Lack(reason, None, outcome)


class PartialReport(msgspec.Struct, frozen=True):
    """What a partial answer lacks."""

    asked: Collection[ShardId]
    lacks: Mapping[ShardId, Lack]
    shards: Mapping[ShardId, Shard]
    """All shards, in the order of the configuration."""

    def field(self) -> bytes:
        """A dictionary of RFC 9651."""
        missing = " ".join([_item(alias, lack) for alias, lack in self._named()])
        counts = f"asked={len(self.asked)}, answered={len(self.asked) - len(self.lacks)}"
        return f"{counts}, missing=({missing}), totals=inexact".encode("ascii")

    def document(self) -> dict[str, object]:
        """The same as JSON."""
        missing = []
        for alias, lack in self._named():
            said: dict[str, object] = {"shard": alias, "reason": lack.reason}
            missing.append(said if lack.status is None else {**said, "status": lack.status})
        answered = len(self.asked) - len(self.lacks)
        return {"asked": len(self.asked), "answered": answered, "missing": missing, "totals": "inexact"}

    def mark(self, reply: Reply, member: str | None, *, has_body: bool = True) -> bool:
        """Say it in a reply. False: its body can have no such member, so that the reply must not be sent."""
        names = [(name.lower(), (name, value)) for name, value in reply.fields]
        reply.fields = [
            field
            for name, field in names
            if name not in _OF_WHOLE_LISTS and not name.endswith(b"cache-control") and name != FIELD.lower()
        ]
        reply.fields += [(b"Cache-Control", b"no-store"), (FIELD, self.field())]
        if member is None or not has_body:
            return True
        if reply.body.lstrip()[:1] != b"{":
            return False
        try:
            reply.body = JsonObject(reply.body).put(member, self.document())
        except BrokenReplyError:  # the object that the member belongs in is not there
            return False
        return True

    def _named(self) -> list[tuple[str, Lack]]:
        return [(shard.alias, self.lacks[name]) for name, shard in self.shards.items() if name in self.lacks]


def _item(alias: str, lack: Lack) -> str:
    status = "" if lack.status is None else f";status={lack.status}"
    return f"{_string(alias)};reason={lack.reason}{status}"


def _string(text: str) -> str:
    """A String, or a Display String where it has other characters (RFC 9651 sections 3.3.3 and 3.3.8)."""
    if text.isascii() and text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    plain = [chr(byte) if 0x20 <= byte < 0x7F and byte not in b'%"' else f"%{byte:02x}" for byte in text.encode()]
    return f'%"{"".join(plain)}"'
