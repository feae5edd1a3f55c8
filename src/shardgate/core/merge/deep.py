"""Objects merged member by member, at any depth: settings, statistics by name, a map of ids.

Holds: a value that is the same on all shards that have it keeps its bytes. Members stand in the order in which the
shards, one after the other, have them.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.array import without
from shardgate.core.json.member_name import FIRST_MEMBER_BYTES_MAX, NAME
from shardgate.core.merge.combining import Combining, with_body

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPACED = re.compile(rb"\s*\{\s*%b\s*:\s" % NAME)
DEPTH_MAX = 100


class Deep(Combining, frozen=True, tag="deep"):
    """The objects of all shards as one object: `{"a": 1}` and `{"b": 2}` become `{"a": 1, "b": 2}`."""

    conflict: Literal["refuse", "first", "last"] = "refuse"
    """Where a member has different values: `refuse` the reply (502), or take the `first` or the `last` shard's value,
    in the order of the configuration."""
    lists: Literal["refuse", "join", "union"] = "refuse"
    """Where a member has different lists: treat them as a conflict (`refuse`), `join` them, or `union` them: joined,
    with equal items (byte for byte) once."""

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The merged object. Raises BrokenReplyError, ValueError, RecursionError."""
        bodies = [reply.body.strip() for reply in replies]
        if not all(body.startswith(b"{") for body in bodies):
            found = next(body for body in bodies if not body.startswith(b"{"))
            raise ValueError(f"a shard's reply is no object: `{excerpt(found)}`")
        for body in bodies:
            body.decode()
        space = b" " if any(_SPACED.match(body, 0, FIRST_MEMBER_BYTES_MAX) for body in bodies) else b""
        return with_body(replies[0], self._merged(bodies, space, ()))

    def describe(self) -> str:
        """The merge in one line."""
        whose = {"refuse": "which must agree", "first": "the first shard's counts", "last": "the last shard's counts"}
        return f"one object, member by member; {whose[self.conflict]}"

    def _merged(self, values: Sequence[bytes], space: bytes, path: tuple[str, ...]) -> bytes:
        if len(path) > DEPTH_MAX:
            raise RecursionError(f"an object is more than {DEPTH_MAX} levels deep")
        lists = all(value.startswith(b"[") for value in values)
        if all(value == values[0] for value in values) and not (lists and self.lists == "join"):
            return values[0]
        if all(value.startswith(b"{") for value in values):
            return self._objects(values, space, path)
        if self.lists != "refuse" and lists:
            items = [bytes(item) for value in values for item in _ITEMS.decode(value)]
            return b"[%b]" % (b"," + space).join(dict.fromkeys(items) if self.lists == "union" else items)
        if self.conflict == "refuse":
            one, other = values[0], next(value for value in values if value != values[0])
            name = excerpt(".".join(path))
            raise ValueError(f"the member {name} is `{excerpt(one)}` on one shard, and `{excerpt(other)}` on another")
        return values[0] if self.conflict == "first" else values[-1]

    def _objects(self, values: Sequence[bytes], space: bytes, path: tuple[str, ...]) -> bytes:
        members: dict[str, list[bytes]] = {}
        for value in values:
            without(msgspec.Raw(value), ())  # raises where a member stands twice
            for name, raw in _MEMBERS.decode(value).items():
                members.setdefault(name, []).append(bytes(raw))
        pairs = [
            b"%b:%b%b" % (msgspec.json.encode(name), space, self._merged(found, space, (*path, name)))
            for name, found in members.items()
        ]
        return b"{%b}" % (b"," + space).join(pairs)
