r"""JSON with half a surrogate pair in a text: `"\ud83d"`, what is left of an emoji that was cut in two.

RFC 8259 section 8.2 allows it; JavaScript, Java and Python write it; our decoder refuses it. Such a text is read from a
copy of the same length in which every lone half is `\ufffd`. Bytes are taken from the original.

Hot path: nothing here runs unless the decoder refused a text.
"""

import re
from typing import TypeVar

import msgspec

Decoded = TypeVar("Decoded")

# A whole pair, a half, or any other escape. Each is matched as a whole, so that `\\ud83d` is no half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


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
    """The copy of the text without lone halves; None where it has none."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return None
    copy = _ESCAPE.sub(_whole, text)
    return None if copy == text else copy


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["half"] is None else rb"\ufffd"
