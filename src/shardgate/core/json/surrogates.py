r"""JSON with half a surrogate pair in a text: `"\ud83d"`, what is left of an emoji that was cut in two.

RFC 8259 section 8.2 allows it; JavaScript, Java and Python write it; our decoder refuses it. Such a text is read from a
copy of the same length in which every lone half is `\ufffd`. Bytes are taken from the original.

Hot path: nothing here runs unless the decoder refused a text.
"""

import re
from typing import TypeVar

import msgspec

from shardgate.core.limits import ESCAPES_MASKED_MAX

Decoded = TypeVar("Decoded")

# A half in a text in which no backslash is escaped: a high one without a low one behind it, or a low one without a high
# one before it.
_HALF = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB].{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})",
    re.DOTALL,
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
    """The copy of the text without lone halves; None where it has none, or too many escapes to look for them."""
    if b"\\" not in text or text.count(b"\\") > ESCAPES_MASKED_MAX:
        return None
    if b"\\ud" not in text and b"\\uD" not in text:
        return None
    # RFC 8259 section 7: `\\` is one escape, and what follows it begins none.
    plain = text.replace(rb"\\", b"..")
    copy = bytearray(text)
    for half in _HALF.finditer(plain):
        copy[half.start() : half.end()] = _UNKNOWN
    return None if copy == text else bytes(copy)
