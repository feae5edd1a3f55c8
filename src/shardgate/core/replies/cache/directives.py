"""The directives of Cache-Control (RFC 9111 section 5.2), of a request or a reply.

Holds: what stands twice counts once, as the stricter of the two; a number that cannot be read is 0 (section 4.2.1).
"""

import re
from collections.abc import Iterable
from math import inf

# One directive: a quoted text may have commas in it, and directives that are none.
_DIRECTIVE = re.compile(rb'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?)++', re.DOTALL)
_SECONDS = re.compile(rb"[0-9]+")
# RFC 9111 section 1.2.2: a greater number is taken for this one.
SECONDS_MAX = 2**31
_NO_NUMBER = b"-"


class Directives:
    """What one Cache-Control says."""

    __slots__ = ("_found",)

    def __init__(self, values: Iterable[bytes]) -> None:
        """`values`: of each Cache-Control line."""
        self._found: dict[bytes, list[bytes | None]] = {}
        for value in values:
            for text in _DIRECTIVE.findall(value):
                name, sign, argument = text.strip().partition(b"=")
                if name != name.rstrip() or argument != argument.lstrip():
                    argument = _NO_NUMBER  # no white space stands around the sign
                if argument[:1] == argument[-1:] == b'"' and len(argument) > 1:
                    argument = argument[1:-1]
                self._found.setdefault(name.strip().lower(), []).append(argument if sign else None)

    def has(self, *names: bytes) -> bool:
        """Whether one of these directives is there, with a value or without."""
        return any(name in self._found for name in names)

    def seconds(self, name: bytes) -> int | None:
        """The number that a directive has; None: it is not there."""
        given = self._found.get(name)
        return None if given is None else min(map(_number, given))

    def patience_s(self, name: bytes) -> float:
        """The same for a directive that means any time where it has no number (`max-stale`); 0: it is not there."""
        given = self._found.get(name)
        return 0.0 if given is None else min([inf if each is None else float(_number(each)) for each in given])

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)


def _number(text: bytes | None) -> int:
    if text is None or _SECONDS.fullmatch(text) is None:
        return 0
    return SECONDS_MAX if len(text) > 10 else min(int(text), SECONDS_MAX)
