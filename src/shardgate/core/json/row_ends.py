"""Finds where rows end in an array that arrives in pieces, without reading the rows: only brackets and quotes count.

It serves rows that are so long that trying to cut them again and again would take too long.

Holds: each byte is looked at a few times, whatever it is. In a valid array the ends are exact; in another text they are
some places, and whoever cuts there finds out.
Never: decodes a value.
"""

import re
from itertools import accumulate

_BRACKETS = b"[]{}"
_OTHERS = bytes(sorted({*range(256)} - {*_BRACKETS}))
_STEPS = [1 if byte in b"[{" else -1 if byte in b"]}" else 0 for byte in range(256)]
# Possessive, so that a string without an end costs no second look.
_IN_STRING = rb'(?:[^"\\]++|\\.)*+'
_STRING = re.compile(b'"' + _IN_STRING + b'"', re.DOTALL)
_REST_OF_STRING = re.compile(_IN_STRING + b'"', re.DOTALL)
_CLOSED = re.compile(b'(?:[^"]++|"' + _IN_STRING + b'")*+', re.DOTALL)
_TOKEN = re.compile(b'"' + _IN_STRING + rb'"|[\[\]{}]', re.DOTALL)


class RowEnds:
    """The state behind the pieces so far."""

    __slots__ = ("_depth", "_in_string", "_is_escaped")

    def __init__(self, *, in_array: bool) -> None:
        """`in_array`: the array's own bracket stands before the first piece."""
        self._depth = 0 if in_array else -1
        self._in_string = False
        self._is_escaped = False

    def last(self, piece: bytes) -> int | None:
        """Where the last of the rows ends that end in this piece, counted in the piece; None: none does."""
        start = self._begin(piece)
        if start is None:
            return None
        closed = _CLOSED.match(piece, start)
        end = len(piece) if closed is None else closed.end()
        if end < len(piece):
            self._in_string = True
            self._is_escaped = _ends_escaped(piece[end + 1 :])
        bare = _STRING.sub(b"", piece[start:end])
        brackets = bare.translate(None, _OTHERS)
        depths = list(accumulate([_STEPS[bracket] for bracket in brackets], initial=self._depth))
        self._depth = depths[-1]
        found = _last_zero(depths)
        if not found or brackets[found - 1] in b"[{":
            return None
        return _place(piece, start, found)

    def _begin(self, piece: bytes) -> int | None:
        """Where the piece goes on behind a string that began before it; None: the string does not end here."""
        if not self._in_string:
            return 0
        start = 1 if self._is_escaped else 0
        rest = _REST_OF_STRING.match(piece, start)
        if rest is None:
            self._is_escaped = _ends_escaped(piece[start:])
            return None
        self._in_string = False
        return rest.end()


def _ends_escaped(text: bytes) -> bool:
    """Whether the text, which is in a string, ends with a backslash that belongs to the next byte."""
    return bool((len(text) - len(text.rstrip(b"\\"))) % 2)


def _last_zero(depths: list[int]) -> int:
    """The last bracket that leads to a row's level; 0: none does."""
    depths.reverse()
    try:
        return len(depths) - 1 - depths.index(0)
    except ValueError:
        return 0


def _place(piece: bytes, start: int, number: int) -> int:
    """Where a bracket stands, counted from 1: behind it."""
    for token in _TOKEN.finditer(piece, start):
        if token[0][0] != 0x22:
            number -= 1
            if not number:
                return token.end()
    return len(piece)
