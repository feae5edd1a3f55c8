"""A body with many items: cut into one body for each shard, and the items of the replies put back in the input's order.

Holds: the bytes of an item are never changed. Around the items, each shard is sent the client's bytes, and the client
the first shard's.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.body.reading import read_object, refuse_unless_other
from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json import array as rows
from shardgate.core.json.object import JsonObject
from shardgate.core.topology import ShardId

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Items(msgspec.Struct, frozen=True):
    """The items of a body."""

    path: str
    """The path of the member with the items; empty: the body is the list."""
    body: bytes
    found: rows.Rows

    def part(self, positions: Sequence[int]) -> bytes:
        """The body with only these items."""
        listed = rows.join([self.found.raw[position] for position in positions], [self.found])
        return JsonObject(self.body).edited({self.path: listed}) if self.path else listed


class ShardItems(msgspec.Struct, frozen=True):
    """The items of one shard."""

    shard: ShardId
    positions: tuple[int, ...]
    """Where the items stand in the client's body, counted from 0."""


def open_items(body: bytes, path: str) -> Items | None:
    """The items of a request; None where it clearly has none, for the application to refuse in its own words.

    Raises AmbiguousKeyError where the body is not strict JSON.
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
    """The key of an item; None where it has none. Raises AmbiguousKeyError where two servers could read it
    differently."""
    text = bytes(item)
    try:
        members = _OBJECT.decode(text)
        raw = members.get(name)
        JsonObject(text)  # raises where a member stands twice
    except BrokenReplyError as error:
        detail = "an item has a JSON member twice; each name may stand once in an object"
        raise AmbiguousKeyError(detail, where=error.where) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # Go and .NET find a member in whatever case it is written.
    twin = next((other for other in members if other != name and other.casefold() == name.casefold()), None)
    if twin is not None:
        raise AmbiguousKeyError(f"an item has the JSON member `{excerpt(twin)}`; only `{name}` is accepted")
    value = msgspec.json.decode(raw) if raw is not None else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def parts_of(owners: Sequence[ShardId]) -> list[ShardItems]:
    """The items of each shard, in the order of the first item of each."""
    positions: dict[ShardId, list[int]] = {}
    for position, shard in enumerate(owners):
        positions.setdefault(shard, []).append(position)
    return [ShardItems(shard, tuple(found)) for shard, found in positions.items()]


def rejoin(parts: Sequence[ShardItems], replies: Sequence[Reply], path: str | None, sums: Sequence[str]) -> Reply:
    """One reply out of those of the shards: the items in the client's order, the numbers in `sums` added up.

    `path`: the member with the items; None: there are none. Raises BrokenReplyError where a shard gave another number
    of items than it was sent, or where replies without items differ.
    """
    if path is None:
        return _summed(replies, sums)
    placed: dict[int, msgspec.Raw] = {}
    samples: list[rows.Rows] = []
    totals: dict[str | None, int] = {}
    for part, reply in zip(parts, replies, strict=True):
        document = JsonObject(reply.body) if path else None
        found = rows.cut(document.value(path) if document is not None else reply.body)
        if len(found.raw) != len(part.positions):
            raise BrokenReplyError(
                "a shard answered another number of items than it was sent",
                where=f"member {path}" if path else "body",
                log=f"{len(found.raw)} items, expected {len(part.positions)}; found `{excerpt(found.body)}`",
            )
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


def _summed(replies: Sequence[Reply], sums: Sequence[str]) -> Reply:
    """One reply out of several without items, which differ in the numbers in `sums` alone."""
    if all(reply.body == replies[0].body for reply in replies) and not (sums and replies[0].body):
        return replies[0]
    documents = [JsonObject(reply.body) for reply in replies]
    totals = {name: [document.number(name) for document in documents] for name in sums}
    whole: Mapping[str | None, object] = {
        name: sum(number for number in numbers if number is not None) for name, numbers in totals.items()
    }
    joined = {document.edited(whole) for document in documents}
    if len(joined) > 1:
        log = f"found `{excerpt(documents[0].body)}` and `{excerpt(documents[1].body)}`"
        raise BrokenReplyError("the shards' replies differ, and the rule does not say how they become one", log=log)
    return msgspec.structs.replace(replies[0], body=joined.pop())


def failed_items(part: ShardItems, path: str, status: int, problem: object) -> Reply:
    """The outcome of each item of a shard that refused its items, or could not be reached."""
    item = {"status": status, "problem": problem}
    outcomes: object = [item] * len(part.positions)
    return Reply(status, [], msgspec.json.encode({path: outcomes} if path else outcomes))
