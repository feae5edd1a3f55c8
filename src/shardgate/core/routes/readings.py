"""The ways in which servers may read one path: with its empty segments, or without; with `;v=1`, or cut off before it.

A path that all servers read in one way needs none of this. Any other is served only where all readings of it lead to
the same route with the same variables; then the shard, which is sent the path as it came, may read it as it likes.

Holds: a path that some server reads as one above the root has no readings: below a shard's base path it would lead out.
"""

import re
from itertools import product
from typing import Final
from urllib.parse import unquote_to_bytes

from shardgate.core.errors import AmbiguousPathError

_LENGTH_MAX = 1024
"""A longer path of this kind is refused: each reading costs as much as a usual path."""
_SLASHES = re.compile(r"%2[Ff]|%5[Cc]|\\")
_BACKSLASHES = re.compile(r"%5[Cc]|\\")
_SEMICOLONS = re.compile(r";|%3[Bb]")
_TWICE = re.compile(r"%25(?=[0-9A-Fa-f]{2})")
_SURE: Final = 3
"""So many of the reasons hold for every route: no server accepts such a path, or some read a host in it."""
_REASONS: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (
            r"%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-Fa-f]|7[Ff])",
            "has an escape of a control character, or a `%` that begins none; send `%25` for a percent sign",
        ),
        (r"[^A-Za-z0-9\-._~!$&'()*+,=:@/%;\[\]\\]", "has `{}`, which must be percent-encoded"),
        (r"^//", "begins with two slashes, behind which some servers read a host"),
        (r"//", "has an empty segment (`//`), which some servers leave out; send one slash"),
        (
            r"/(?:\.|%2[Ee]){1,2}(?=/|$)",
            "has the segment `.` or `..`, which some servers resolve; send the path that it leads to",
        ),
        (_SLASHES.pattern, "has `{}`, which some servers read as a slash between two segments"),
        (_SEMICOLONS.pattern, "has `{}`, and some servers cut a segment off there"),
        (r"%25", "has an encoded percent sign (`%25`), which some servers decode a second time"),
        (r"(?:\.|%2[Ee])(?=/|$)", "has a segment that ends with a dot, which some servers cut off"),
    )
)


def readings(path: str, *, slash_divides: bool = True) -> list[list[str]]:
    """The segments of a path, decoded, in each way that a server may read it. Raises AmbiguousPathError.

    `slash_divides`: some server may read `%2F` as a slash between two segments.
    """
    slashes = _SLASHES if slash_divides else _BACKSLASHES
    if len(path) > _LENGTH_MAX or any(pattern.search(path) for pattern, _ in _REASONS[:_SURE]):
        raise AmbiguousPathError(why(path))
    found: list[list[str]] = []
    for twice, splits, cuts, merges, climbs, trims in product((False, True), repeat=6):
        text = _TWICE.sub("%", path) if twice else path
        text = slashes.sub("/", text) if splits else text
        segments = [_decoded(_cut(segment) if cuts else segment, path) for segment in text.split("/")[1:]]
        if merges:
            segments = [segment for segment in segments[:-1] if segment] + segments[-1:]
        if climbs:
            segments = _climbed(segments, path)
        if trims:
            segments = [segment.rstrip(".") or segment for segment in segments]
        if ["", *segments] not in found:
            found.append(["", *segments])
    return found


def why(path: str) -> str:
    """What of a path servers read differently, and what to send instead."""
    for pattern, said in _REASONS:
        found = pattern.search(path)
        if found is not None:
            return f"the path {said.format(found[0])}"
    return "the path has a character that servers read differently"


def _cut(segment: str) -> str:
    """The segment without its parameters (RFC 3986 section 3.3)."""
    return _SEMICOLONS.split(segment, maxsplit=1)[0]


def _decoded(segment: str, path: str) -> str:
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise AmbiguousPathError(f"the path has an escape that is not UTF-8: {path}")


def _climbed(segments: list[str], path: str) -> list[str]:
    """The segments with `.` and `..` resolved (RFC 3986 section 5.2.4). Raises AmbiguousPathError above the root."""
    left: list[str] = []
    for segment in segments:
        if segment == "..":
            if not left:
                raise AmbiguousPathError("the path has more `..` than segments before them")
            left.pop()
        elif segment != ".":
            left.append(segment)
    if segments and segments[-1] in {".", ".."}:
        left.append("")
    return left
