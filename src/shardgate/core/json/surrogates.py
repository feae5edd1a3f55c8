r"""JSON with half a surrogate pair in a text: `"\ud83d"`, what is left of an emoji that was cut in two.

RFC 8259 section 8.2 allows it; JavaScript, Java and Python write it; our decoder refuses it. Such a text is read from a
copy of the same length in which every lone half is `\ufffd`. Bytes are taken from the original.

Hot path: nothing here runs unless the decoder refused a text.
"""

import re
from itertools import islice
from typing import TypeVar

import msgspec

from shardgate.core.limits import ESCAPES_MASKED_MAX, HALVES_MASKED_MAX, MASKED_BYTES_MAX

Decoded = TypeVar("Decoded")

# A backslash (RFC 8259 section 7), a pair, or a half. Each is matched as a whole, so that `\\ud83d` is no half. Other
# escapes are passed over: none of them ends with a backslash.
_FOUND = re.compile(
    rb"\\(?:\\|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_UNKNOWN = rb"\ufffd"


def decoded(decoder: msgspec.json.Decoder[Decoded], text: bytes) -> tuple[Decoded, bytes]:
    """The decoded value, and the text that it was read from: this one, or its copy. Raises msgspec.DecodeError."""
    try:
        return decoder.decode(text), text
    except msgspec.DecodeError:
        copy = masked(text)
        if copy is None:
            raise
        return decoder.decode(copy), copy


def masked(text: bytes) -> bytes | None:
    """The copy of the text without lone halves; None where it has none, or is too long or has too many escapes."""
    if b"\\" not in text or len(text) > MASKED_BYTES_MAX or text.count(b"\\") > ESCAPES_MASKED_MAX:
        return None
    halves = [*islice((found.start() for found in _FOUND.finditer(text) if found.lastgroup), HALVES_MASKED_MAX + 1)]
    if not 0 < len(halves) <= HALVES_MASKED_MAX:
        return None
    copy = bytearray(text)
    for start in halves:
        copy[start : start + len(_UNKNOWN)] = _UNKNOWN
    return bytes(copy)
