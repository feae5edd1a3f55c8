"""Fills the paths that the gateway itself asks shards for: `/orders/{id}/confirm`.

Holds: a value fills one segment, whatever a client or a shard wrote into it: the calls of a change go where the rule
says, and nowhere else. A path with a value that is not known, or that cannot be a segment, is not filled at all.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

_NAME = re.compile(r"\{([^{}]*)\}")
# C0, DEL and C1: no path has them, and some servers cut there. Surrogates have no UTF-8.
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SEPARATORS = "/\\;%"
"""Decoded, some servers take them for separators (RFC 3986 section 3.3), or decode once more."""


def is_segment(value: str) -> bool:
    """Whether every server reads the quoted value as one segment: not empty, not `.` or `..`, and without a separator
    or a control character."""
    return (
        value not in {"", ".", ".."}
        and not any(mark in value for mark in _SEPARATORS)
        and _UNSENDABLE.search(value) is None
    )


def segment(value: str) -> str | None:
    """The value, percent-encoded as one segment (RFC 3986 section 2.1); None where it cannot be one."""
    return quote(value, safe="") if is_segment(value) else None


def names_of(template: str | None) -> list[str]:
    """The names in a template, in their order."""
    return [] if template is None else _NAME.findall(template)


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """The path; None where a value is not known, or cannot stand where its name stands.

    Behind the `?` a value may have separators, but it is not empty: `?code=` could mean all.
    """
    path, mark, query = template.partition("?")
    written = _filled(path, values, segment), _filled(query, values, _parameter)
    return None if None in written else f"{written[0]}{mark}{written[1]}"


def _parameter(value: str) -> str | None:
    return None if not value or _UNSENDABLE.search(value) else quote(value, safe="")


def _filled(text: str, values: Mapping[str, str], write: Callable[[str], str | None]) -> str | None:
    written: list[str] = []
    position = 0
    for match in _NAME.finditer(text):
        value = values.get(match[1])
        encoded = None if value is None else write(value)
        if encoded is None:
            return None
        written += (text[position : match.start()], encoded)
        position = match.end()
    return "".join((*written, text[position:]))
