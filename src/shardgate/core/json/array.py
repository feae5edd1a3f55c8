"""A list body as raw rows: cut, weighed by their sort keys, trimmed, joined. Rows are never decoded.

A row's bytes leave as they came: numbers, unknown properties, escapes and their order survive by construction.

Holds: a body that is not a JSON array of objects in valid UTF-8 is a broken reply, never a crash.
Hot path: cutting and joining is most of a gather's cost (`make bench`).
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.surrogates import decoded
from shardgate.core.value import Value

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPACE = re.compile(rb"[ \t\r\n]*")
_NAME = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Rows(Value, frozen=True):
    """One shard's list: its rows in order, and the body that shows what white space its application writes."""

    raw: list[msgspec.Raw]
    body: bytes


def cut(body: bytes) -> Rows:
    """Cut a JSON array into its items, without decoding them.

    Raises BrokenReplyError where the body is no JSON array in UTF-8.
    """
    try:
        # `msgspec.Raw` does not look into strings, so that UTF-8 is checked here (0.1 ms a megabyte when ASCII).
        if not body.isascii():
            body.decode()
        return Rows(_cut(body), body)
    except _BROKEN as error:
        raise BrokenReplyError("a shard's list is not a JSON array in UTF-8") from error


def cut_early(body: bytes) -> Rows | None:
    """The same of what may be no array, since more is to come: then None.

    Raises BrokenReplyError where no more can make it right.
    """
    try:
        rows = _cut(body)
        if not body.isascii():
            body.decode()
    except msgspec.DecodeError:
        return None
    except _BROKEN as error:
        raise BrokenReplyError("a shard's list is not a JSON array in UTF-8") from error
    return Rows(rows, body)


def join(rows: Sequence[msgspec.Raw], samples: Sequence[Rows]) -> bytes:
    """Join rows into an array, with the white space that the samples show."""
    if not rows:
        return _empty(samples)
    opening, separator, closing = style(samples)
    return b"".join((opening, separator.join(rows), closing))


def without(row: msgspec.Raw, names: Collection[str]) -> msgspec.Raw:
    """The row without some of its members; what stays keeps its bytes.

    Raises BrokenReplyError where the row is not an object, or has a member twice.
    """
    text = bytes(row)
    try:
        members, read = decoded(_MEMBERS, text)
    except _BROKEN as error:
        raise BrokenReplyError("a shard's row is not a JSON object") from error
    if not members:
        return row
    kept: list[bytes] = []
    position = 1
    for name, value in members.items():
        match = _NAME.match(read, position)
        if match is None or msgspec.json.decode(match[1]) != name:
            raise BrokenReplyError("a shard's row has one member twice")
        end = match.end() + len(bytes(value))
        if name not in names:
            kept.append(text[position:end])
        position = end + len(_space_at(text, end)) + 1
    if position != len(text):
        raise BrokenReplyError("a shard's row has one member twice")
    if not kept:
        return msgspec.Raw(b"{}")
    inner = text[1:-1]
    closing = inner[len(inner.rstrip()) :]
    return msgspec.Raw(b"{%s%s%s}" % (_space_at(text, 1), b",".join(kept).lstrip(), closing))


def excerpt(row: msgspec.Raw, places: Sequence[tuple[str, ...]]) -> bytes:
    """A row with no other members than those that these places lead to (`price`, and in it `amount`).

    Raises BrokenReplyError where the row is not an object.
    """
    try:
        return msgspec.json.encode(_excerpt(row, places))
    except _BROKEN as error:
        raise BrokenReplyError("a shard's row is not a JSON object") from error


def value_at(row: bytes, place: Sequence[str]) -> bytes | None:
    """The value that a place leads to, as it was written; None where there is none, or `null`.

    Raises BrokenReplyError where the row is not an object, or the place leads through what is none.
    """
    value = msgspec.Raw(row)
    try:
        for name in place:
            found = decoded(_MEMBERS, bytes(value))[0].get(name)
            if found is None or bytes(found) == b"null":
                return None
            value = found
    except _BROKEN as error:
        raise BrokenReplyError("a shard's row is not a JSON object") from error
    return bytes(value)


def _cut(body: bytes) -> list[msgspec.Raw]:
    """The items as they stand in the body. Raises msgspec.DecodeError."""
    rows, read = decoded(_ARRAY, body)
    if read is body:
        return rows
    taken: list[msgspec.Raw] = []
    position = 0
    for row in map(bytes, rows):
        start = read.index(row, position)
        position = start + len(row)
        taken.append(msgspec.Raw(body[start:position]))
    return taken


def _excerpt(row: msgspec.Raw, places: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in decoded(_MEMBERS, bytes(row))[0].items():
        inside = [place[1:] for place in places if place[0] == name]
        if inside:
            kept[name] = value if () in inside or bytes(value) == b"null" else _excerpt(value, inside)
    return kept


def _space_at(text: bytes, position: int) -> bytes:
    match = _SPACE.match(text, position)
    return match[0] if match else b""


def ending(body: bytes) -> bytes:
    """The end of an array behind its last row."""
    return body[len(body.rstrip().removesuffix(b"]").rstrip()) :]


def style(samples: Sequence[Rows]) -> tuple[bytes, bytes, bytes]:
    """What the application writes before the first row, between two, and behind the last."""
    longest = max(samples, key=lambda sample: min(len(sample.raw), 2))
    body = longest.body
    first = bytes(longest.raw[0])
    start = body.index(first)
    opening, closing = body[:start], ending(body)
    if len(longest.raw) > 1:
        after = start + len(first)
        return opening, body[after : body.index(bytes(longest.raw[1]), after)], closing
    return opening, b"," + (opening[opening.index(b"[") + 1 :] or _space_inside(first)), closing


def _empty(samples: Sequence[Rows]) -> bytes:
    """An empty list, as a shard without rows writes it."""
    for sample in samples:
        if not sample.raw:
            return sample.body
    body = samples[0].body if samples else b""
    return body[: len(body) - len(body.lstrip())] + b"[]" + body[len(body.rstrip()) :]


def _space_inside(row: bytes) -> bytes:
    """A writer that puts a space behind a colon puts one behind a comma too."""
    match = re.match(rb'\{"(?:[^"\\]|\\.)*":( ?)', row)
    return match[1] if match else b""
