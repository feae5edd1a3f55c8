"""The key of an item, which may stand deeper in it: `vendor.id`.

Holds: on each level two servers could not read the member differently, or the item is refused.
"""

import msgspec

from shardgate.core.body import items

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def key_of(item: msgspec.Raw, path: str) -> str | None:
    """The key of an item; None where it has none. A name that has dots itself comes first.

    Raises AmbiguousKeyError.
    """
    name, _, rest = path.partition(".")
    found = None if not rest else _member(item, path, name)
    return items.key_of(item, path) if found is None else key_of(found, rest)


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
