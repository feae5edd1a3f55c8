"""A body with many items: cut into one body for each shard, and the items of the replies put back in the input's order.

Holds: the bytes of an item are never changed. Around the items, each shard is sent the client's bytes, and the client
the first shard's.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from shardgate.core.body.reading import read_member, read_object, refuse_unless_other
from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json import array as rows
from shardgate.core.json.key_value import key_text
from shardgate.core.json.object import JsonObject
from shardgate.core.json.search import JsonSearch, refuse_long
from shardgate.core.limits import ITEM_COLONS_MAX, ITEM_TWINS_TRIED_MAX
from shardgate.core.topology import ShardId
from shardgate.core.twins import is_other_spelling, looks_like

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Items(msgspec.Struct, frozen=True):
    """The items of a body."""

    path: str
    """The path of the member with the items; empty: the body is the list."""
    before: bytes
    found: rows.Rows
    behind: bytes

    def part(self, positions: Sequence[int]) -> bytes:
        """The body with only these items."""
        listed = rows.join([self.found.raw[position] for position in positions], [self.found])
        return b"".join((self.before, listed, self.behind))


class ShardItems(msgspec.Struct, frozen=True):
    """The items of one shard."""

    shard: ShardId
    positions: tuple[int, ...]
    """Where the items stand in the client's body, counted from 0."""


def open_items(body: bytes, path: str, items_max: int) -> Items | Literal["longer"] | None:
    """The items of a request; None where it clearly has none, for the application to refuse in its own words.

    `longer`: they are more than `items_max`. Raises AmbiguousKeyError where the body is not strict JSON,
    TooComplexError.
    """
    refuse_long(body)
    before, listed, behind = b"", body, b""
    if path:
        document = read_object(body)
        if document is None or read_member(document, path) is None or (span := document.span(path)) is None:
            return None
        before, listed, behind = body[: span[0]], body[span[0] : span[1]], body[span[1] :]
    try:
        if JsonSearch(listed).has_more_items(items_max):
            return "longer"
        if listed.count(b":") > ITEM_COLONS_MAX:
            raise TooComplexError(f"the items of `{path or 'the body'}` have more than {ITEM_COLONS_MAX} members")
        return Items(path, before, rows.cut(listed), behind)
    except UnicodeDecodeError:
        raise AmbiguousKeyError("the body is not JSON in UTF-8, so that its items cannot be read") from None
    except BrokenReplyError as error:
        refuse_unless_other(listed, b"[", error)
        return None


def key_of(item: msgspec.Raw, name: str) -> str | None:
    """The key of an item; None where it has none.

    Raises AmbiguousKeyError where two servers could read it differently, TooComplexError.
    """
    text = bytes(item)
    try:
        members = _OBJECT.decode(text)
        _refuse_twice(text, name, members)
        raw = members.get(name)
        value = None if raw is None else key_text(bytes(raw), name)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    alike = [other for other in members if other != name and looks_like(other, name)]
    if len(alike) > ITEM_TWINS_TRIED_MAX:
        raise TooComplexError(f"an item has more than {ITEM_TWINS_TRIED_MAX} members with names like `{name}`")
    for other in alike:
        if is_other_spelling(other, name):
            detail = f"an item has the JSON member `{excerpt(other)}`; only `{name}` is accepted"
            raise AmbiguousKeyError(detail, about={"member": excerpt(other)})
    return value


def _refuse_twice(text: bytes, name: str, members: Mapping[str, msgspec.Raw]) -> None:
    """Refuse an item in which the key stands twice: the decoder has kept one. Raises AmbiguousKeyError."""
    if b"\\u00" in text and _escaped_letter(name).search(text):
        detail = f"an item writes a letter of `{name}` as an escape, `\\u00…`; letters are accepted as they are"
        raise AmbiguousKeyError(detail, about={"member": name})
    quoted = msgspec.json.encode(name)
    found = text.count(quoted)
    if found > 1 and found - sum(bytes(value).count(quoted) for value in members.values()) != 1:
        JsonSearch(text).find([name])


@lru_cache(maxsize=64)
def _escaped_letter(name: str) -> re.Pattern[bytes]:
    """An escape by which the name could be written in other bytes. No serializer writes a letter of ASCII so."""
    letters = "|".join([f"{ord(letter):02x}" for letter in name if ord(letter) < 0x100])
    return re.compile(rb"\\u00(?:%b)" % letters.encode(), re.IGNORECASE)


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
