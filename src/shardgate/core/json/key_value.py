"""The key that a JSON value names: a text, or an integer as its digits.

Never: makes a number of the digits. They may be thousands.
"""

import re

import msgspec

from shardgate.core.errors import AmbiguousKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.limits import KEY_CHARACTERS_MAX

TEXT_BYTES_MAX = 6 * KEY_CHARACTERS_MAX + 2
"""Of a text with its quotes, of which each character is escaped."""
_INTEGER = re.compile(rb"-?[0-9]+")
# JavaScript and PHP print these without their fraction.
_WHOLE = re.compile(rb"-?[0-9]+(?:\.0*)?(?:[eE][+-]?[0-9]+)?")
_DIGITS = frozenset([b"-", *[b"%d" % digit for digit in range(10)]])


def key_text(raw: bytes, path: str) -> str | None:
    """The key; None for every other value. `path`: where it stands, for the refusal.

    Raises AmbiguousKeyError where the value is too long for a key, or a number that some read as another; and
    msgspec.DecodeError.
    """
    first = raw[:1]
    if first == b'"':
        if len(raw) > TEXT_BYTES_MAX:
            raise too_long(path)
        value = msgspec.json.decode(raw, type=str)
        if len(value) > KEY_CHARACTERS_MAX:
            raise too_long(path)
        return value
    if first not in _DIGITS:
        return None
    if len(raw) > KEY_CHARACTERS_MAX:
        raise too_long(path)
    if _INTEGER.fullmatch(raw):
        return "0" if raw == b"-0" else raw.decode()
    if _WHOLE.fullmatch(raw):
        detail = f"the number `{excerpt(raw)}` of `{excerpt(path)}` is an integer to some servers; write its digits"
        raise AmbiguousKeyError(detail, about={"member": path})
    return None


def too_long(source: str) -> AmbiguousKeyError:
    """The refusal of a key that no shard can own."""
    error = AmbiguousKeyError(f"the key `{excerpt(source)}` has more than {KEY_CHARACTERS_MAX} characters or digits")
    error.was_read = True
    return error
