"""Objects merged member by member, however deep: settings, statistics by name, a map of ids.

Holds: a value that no two shards tell differently keeps its bytes; members come in the order in which they are met.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from shardgate.core.http import Reply
from shardgate.core.json.array import without
from shardgate.core.merge.combining import Combining, told

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPACED = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s')
DEPTH_MAX = 100


class Deep(Combining, frozen=True, tag="deep"):
    """One object out of many."""

    conflict: Literal["refuse", "first", "last"] = "refuse"
    """Two values of one member: whose counts, in the order of the configuration."""
    lists: Literal["refuse", "join", "union"] = "refuse"
    """Two lists of one member: they conflict, are joined, or joined without what is there byte for byte."""

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The object of all. Raises BrokenReplyError, ValueError, RecursionError."""
        bodies = [reply.body.strip() for reply in replies]
        if not all(body.startswith(b"{") for body in bodies):
            raise ValueError("a shard's reply is no object")
        for body in bodies:
            body.decode()
        space = b" " if any(_SPACED.match(body) for body in bodies) else b""
        return told(replies[0], self._merged(bodies, space, 0))

    def describe(self) -> str:
        """The merge in one line."""
        whose = {"refuse": "which must agree", "first": "the first shard's counts", "last": "the last shard's counts"}
        return f"one object, member by member; {whose[self.conflict]}"

    def _merged(self, values: Sequence[bytes], space: bytes, depth: int) -> bytes:
        if depth > DEPTH_MAX:
            raise RecursionError("an object is too deep")
        lists = all(value.startswith(b"[") for value in values)
        if all(value == values[0] for value in values) and not (lists and self.lists == "join"):
            return values[0]
        if all(value.startswith(b"{") for value in values):
            return self._objects(values, space, depth)
        if self.lists != "refuse" and lists:
            items = [bytes(item) for value in values for item in _ITEMS.decode(value)]
            return b"[%b]" % (b"," + space).join(dict.fromkeys(items) if self.lists == "union" else items)
        if self.conflict == "refuse":
            raise ValueError("two shards tell one member differently")
        return values[0] if self.conflict == "first" else values[-1]

    def _objects(self, values: Sequence[bytes], space: bytes, depth: int) -> bytes:
        members: dict[str, list[bytes]] = {}
        for value in values:
            without(msgspec.Raw(value), ())  # refuses a member that stands twice
            for name, raw in _MEMBERS.decode(value).items():
                members.setdefault(name, []).append(bytes(raw))
        pairs = [
            b"%b:%b%b" % (msgspec.json.encode(name), space, self._merged(given, space, depth + 1))
            for name, given in members.items()
        ]
        return b"{%b}" % (b"," + space).join(pairs)
