"""One body with many items: cut into one body a shard, and the replies' items put back in the input's order.

Holds: an item's bytes are never changed; what stands around the items is the client's (going) and the first shard's
(coming back), byte for byte.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.body.reading import read_object, refuse_unless_other
from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json import array as rows
from shardgate.core.json.object import JsonObject
from shardgate.core.topology import ShardId

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Items(msgspec.Struct, frozen=True):
    """The items of a body."""

    path: str
    """Where they stand; empty: the body is the list."""
    body: bytes
    found: rows.Rows

    def part(self, positions: Sequence[int]) -> bytes:
        """The body with these items alone."""
        listed = rows.join([self.found.raw[position] for position in positions], [self.found])
        return JsonObject(self.body).edited({self.path: listed}) if self.path else listed


class ShardItems(msgspec.Struct, frozen=True):
    """A shard's part of the items."""

    shard: ShardId
    positions: tuple[int, ...]


def open_items(body: bytes, path: str) -> Items | None:
    """The items of a request; None where there are plainly none: the application refuses that in its own words.

    Raises AmbiguousKeyError.
    """
    listed: bytes | None = body
    if path:
        document = read_object(body)
        listed = document.raw(path) if document is not None else None
    if not listed:
        return None
    try:
        return Items(path, body, rows.cut(listed))
    except BrokenReplyError as error:
        refuse_unless_other(listed, list, error)
        return None


def key_of(item: msgspec.Raw, name: str) -> str | None:
    """An item's key. Raises AmbiguousKeyError where two servers could read it differently."""
    text = bytes(item)
    try:
        members = _OBJECT.decode(text)
        raw = members.get(name)
        # Twins are found by the document's own reading; Go and .NET find a member in whatever case it is written.
        JsonObject(text)
    except BrokenReplyError as error:
        raise AmbiguousKeyError("a JSON member of an item stands twice") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if any(other != name and other.casefold() == name.casefold() for other in members):
        raise AmbiguousKeyError(f"the JSON member {name!r} is also written in another case")
    value = msgspec.json.decode(raw) if raw is not None else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def parts_of(owners: Sequence[ShardId]) -> list[ShardItems]:
    """The items of each shard, in the order of the first item of each."""
    positions: dict[ShardId, list[int]] = {}
    for position, shard in enumerate(owners):
        positions.setdefault(shard, []).append(position)
    return [ShardItems(shard, tuple(found)) for shard, found in positions.items()]


def rejoin(parts: Sequence[ShardItems], replies: Sequence[Reply], path: str, sums: Sequence[str]) -> Reply:
    """One reply out of each part's. Raises BrokenReplyError where a shard gave another number of items than it had."""
    placed: dict[int, msgspec.Raw] = {}
    samples: list[rows.Rows] = []
    totals: dict[str | None, int] = {}
    for part, reply in zip(parts, replies, strict=True):
        document = JsonObject(reply.body) if path else None
        found = rows.cut(document.value(path) if document is not None else reply.body)
        if len(found.raw) != len(part.positions):
            raise BrokenReplyError("a shard answered another number of items than it was sent")
        samples.append(found)
        placed.update(zip(part.positions, found.raw, strict=True))
        for name in sums:
            if document is not None and (number := document.number(name)) is not None:
                totals[name] = totals.get(name, 0) + number
    listed = rows.join([placed[position] for position in sorted(placed)], samples)
    if not path:
        return msgspec.structs.replace(replies[0], body=listed)
    changes: Mapping[str | None, object] = {path: listed, **totals}
    return msgspec.structs.replace(replies[0], body=JsonObject(replies[0].body).edited(changes))


def failed_items(part: ShardItems, path: str, status: int, problem: object) -> Reply:
    """The outcome of each item of a part that a shard refused, or was not there to take."""
    item = {"status": status, "problem": problem}
    listed: object = [item] * len(part.positions)
    return Reply(status, [], msgspec.json.encode({path: listed} if path else listed))
