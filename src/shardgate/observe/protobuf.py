"""Writes the messages of Protocol Buffers: numbered fields, one after the other. Four kinds of fields are enough here.

Holds: what is written, the official decoder reads (tests/observe/test_otlp.py).
Never: reads a message.
"""

from collections.abc import Iterable
from struct import pack

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _tag(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def whole(field: int, value: int) -> bytes:
    """A number of 0 or more, a word of an enumeration, or true (1)."""
    return _tag(field, _VARINT) + _varint(value)


def fixed(field: int, value: int) -> bytes:
    """A `fixed64` or `sfixed64`."""
    return _tag(field, _FIXED64) + pack("<q", value)


def real(field: int, value: float) -> bytes:
    """A `double`."""
    return _tag(field, _FIXED64) + pack("<d", value)


def nested(field: int, *parts: bytes) -> bytes:
    """A message within this one, of the fields that are given."""
    return _tag(field, _LENGTH) + _varint(sum(map(len, parts))) + b"".join(parts)


def text(field: int, value: str) -> bytes:
    """A `string`."""
    return nested(field, value.encode())


def many_fixed(field: int, values: Iterable[int]) -> bytes:
    """A packed list of `fixed64`."""
    return nested(field, *(pack("<q", value) for value in values))


def many_real(field: int, values: Iterable[float]) -> bytes:
    """A packed list of `double`."""
    return nested(field, *(pack("<d", value) for value in values))
