"""What a client prefers: the field `Prefer` (RFC 7240), read as far as one preference is asked for.

Holds: of a preference that stands twice the first counts (section 2). What cannot be read is no preference.
"""

import re
from collections.abc import Mapping

import msgspec

_QUOTED = r'"(?:[^"\\]|\\.)*"'
# Every quote is closed: looking for the pieces then never begins in a quoted text, and takes time for each byte once.
_CLOSED = re.compile(rf'(?:[^"]|{_QUOTED})*+')
_PREFERENCE = re.compile(rf'(?:[^",]|{_QUOTED})+')
_PART = re.compile(rf'(?:[^";]|{_QUOTED})+')
_CHARACTER = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_WORD = re.compile(rf"[ \t]*({_CHARACTER}+)[ \t]*(?:=[ \t]*({_CHARACTER}*|{_QUOTED})[ \t]*)?")
_ESCAPED = re.compile(r"\\(.)")


class Preference(msgspec.Struct, frozen=True):
    """One preference: `shards=quorum;count=2`."""

    value: str
    """Empty: it has none."""
    parameters: Mapping[str, str]
    text: bytes
    """As the client wrote it, for `Preference-Applied`."""


def preference(field: bytes | None, name: str) -> Preference | None:
    """The preference of this name, which is in lower case; None where the field has none, or it cannot be read."""
    text = "" if field is None else field.decode("latin-1")
    if not _CLOSED.fullmatch(text):
        return None
    for piece in _PREFERENCE.findall(text):
        words = [_WORD.fullmatch(part) for part in _PART.findall(piece) if part.strip()]
        first = words[0] if words else None
        if first is None or first[1].lower() != name:
            continue
        if None in words:
            return None
        parameters = {word[1].lower(): _unquoted(word[2] or "") for word in reversed(words[1:]) if word is not None}
        return Preference(_unquoted(first[2] or "").lower(), parameters, piece.strip().encode("latin-1"))
    return None


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
