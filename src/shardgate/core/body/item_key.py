"""The key of an item, which may stand deeper in it: `vendor.id`.

Holds: on each level two servers could not read the member differently, or the item is refused.
"""

from collections.abc import Sequence

import msgspec

from shardgate.core.body import items
from shardgate.core.errors import BrokenReplyError, ClientError
from shardgate.core.http import Reply
from shardgate.core.json import array as rows
from shardgate.core.json.object import JsonObject

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def key_of(item: msgspec.Raw, path: str) -> str | None:
    """The key of an item; None where it has none. A name that has dots itself comes first.

    Raises AmbiguousKeyError.
    """
    name, _, rest = path.partition(".")
    found = None if not rest else _member(item, path, name)
    return items.key_of(item, path) if found is None else key_of(found, rest)


def refuse_other_order(
    parts: Sequence[items.ShardItems], replies: Sequence[Reply], path: str, key: str, keys: Sequence[str | None]
) -> None:
    """Refuse replies whose items have the keys that were asked for, in another order: an application that sorts them.

    Replies whose items have no keys, or other ones, say nothing of their order. Raises BrokenReplyError.
    """
    for part, reply in zip(parts, replies, strict=True):
        found = rows.cut(JsonObject(reply.body).value(path) if path else reply.body)
        asked = [str(keys[position]) for position in part.positions]
        try:
            said = [str(key_of(item, key)) for item in found.raw]
        except ClientError:
            continue
        if said != asked and sorted(said) == sorted(asked):
            raise BrokenReplyError(
                "a shard answered its items in another order than it was asked for them",
                where=f"member {path}" if path else "body",
                log=f"{key} is {', '.join(said[:5])}; it was asked for {', '.join(asked[:5])}",
            )


def _member(item: msgspec.Raw, path: str, name: str) -> msgspec.Raw | None:
    """The member to look into; None where the path names a member of the item itself. Raises AmbiguousKeyError."""
    try:
        members = _OBJECT.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if path in members:
        return None
    items.key_of(item, name)  # raises where the name could be read as two
    return members.get(name)
