"""A JSON array as raw items: cut, trimmed and joined again. Items are never decoded.

An item's bytes leave as they came: numbers, unknown members, escapes and their order are kept.

Holds: a body that is not a JSON array in valid UTF-8 is a broken reply, never a crash.
Hot path: cutting and joining is most of a gather's cost (`make bench`).
"""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.fault import broken
from shardgate.core.json.member_name import FIRST_MEMBER_BYTES_MAX, NAME, behind_name
from shardgate.core.json.surrogates import decoded
from shardgate.core.value import Value

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPACE = re.compile(rb"[ \t\r\n]*")
_TAIL_BYTES: Final = 1024
_OPENING = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*")
_SEPARATOR = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_BLANK = re.compile(rb"[ \t\r\n]*\[ [^ \t\r\n]")
_FIRST_COLON = re.compile(rb"\{%b:( ?)" % NAME)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Rows(Value, frozen=True):
    """The items of one array, in order."""

    raw: list[msgspec.Raw]
    body: bytes
    """The array itself: it shows what white space its application writes."""
    is_null: bool = False
    """The application wrote `null`: some do for an array without items. `body` is an empty array then."""


def cut(body: bytes, start: int = 0) -> Rows:
    """Cut a JSON array into its items, without decoding them.

    `null` is an array without items. Raises BrokenReplyError where the body is no JSON array in UTF-8; `start`: its
    position in the whole reply, for that.
    """
    try:
        # `msgspec.Raw` does not look into strings, so that UTF-8 is checked here (0.1 ms a megabyte when ASCII).
        if not body.isascii():
            body.decode()
        return Rows(_cut(body), body)
    except _BROKEN as error:
        if body.strip() == b"null":
            return Rows([], b"[]", is_null=True)
        raise broken("a shard's list is not a JSON array in UTF-8", error, body, start=start) from error


def cut_early(body: bytes, start: int = 0) -> Rows | None:
    """Cut what may be the beginning of an array: None where more bytes could still make it one.

    Raises BrokenReplyError where no more bytes can; `start`: its position in the whole reply, for that.
    """
    try:
        rows = _cut(body)
        if not body.isascii():
            body.decode()
    except msgspec.DecodeError:
        return None
    except _BROKEN as error:
        raise broken("a shard's list is not a JSON array in UTF-8", error, body, start=start) from error
    return Rows(rows, body)


def join(rows: Sequence[msgspec.Raw], samples: Sequence[Rows]) -> bytes:
    """An array of these rows, with the white space that the samples show."""
    if not rows:
        return _empty(samples)
    opening, separator, closing = style(samples)
    if len(rows) == 1:
        return b"".join((opening, rows[0], closing))
    return b"".join((opening, separator.join(rows), closing))


def without(row: msgspec.Raw, names: Collection[str]) -> msgspec.Raw:
    """The row without the members of these names; the others keep their bytes.

    Raises BrokenReplyError where the row is not an object, or has a member twice.
    """
    text = bytes(row)
    try:
        members, read = decoded(_MEMBERS, text)
    except _BROKEN as error:
        raise broken("a shard's row is not a JSON object", error, text) from error
    if not members:
        return row
    kept: list[bytes] = []
    position = 1
    for name, value in members.items():
        begin = behind_name(read, position, name)
        if begin is None:
            raise _twice(text, position)
        end = begin + len(bytes(value))
        if name not in names:
            kept.append(text[position:end])
        position = end + len(_space_at(text, end)) + 1
    if position != len(text):
        raise _twice(text, position)
    if not kept:
        return msgspec.Raw(b"{}")
    inner = text[1:-1]
    closing = inner[len(inner.rstrip()) :]
    return msgspec.Raw(b"{%s%s%s}" % (_space_at(text, 1), b",".join(kept).lstrip(), closing))


def with_only(row: msgspec.Raw, paths: Sequence[tuple[str, ...]]) -> bytes:
    """The row with no other members than those on these paths: `("price", "amount")` keeps `price`, and in it `amount`.

    Raises BrokenReplyError where the row is not an object.
    """
    try:
        return msgspec.json.encode(_members_on(row, paths))
    except _BROKEN as error:
        raise broken("a shard's row is not a JSON object", error, bytes(row)) from error


def value_at(row: bytes, path: Sequence[str]) -> bytes | None:
    """The value at the end of a path of members, as it was written; None where there is none, or `null`.

    Raises BrokenReplyError where the row, or a value on the path, is not an object.
    """
    value = msgspec.Raw(row)
    try:
        for name in path:
            found = decoded(_MEMBERS, bytes(value))[0].get(name)
            if found is None or bytes(found) == b"null":
                return None
            value = found
    except _BROKEN as error:
        raise broken("a shard's row is not a JSON object", error, bytes(value)) from error
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


def _twice(text: bytes, at: int) -> BrokenReplyError:
    detail = "a shard's row has one member twice"
    return BrokenReplyError(detail, where=f"byte {at} of the row", log=f"found `{excerpt(text, at)}`")


def _members_on(row: msgspec.Raw, paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in decoded(_MEMBERS, bytes(row))[0].items():
        inside = [path[1:] for path in paths if path[0] == name]
        if inside:
            kept[name] = value if () in inside or bytes(value) == b"null" else _members_on(value, inside)
    return kept


def _space_at(text: bytes, position: int) -> bytes:
    match = _SPACE.match(text, position)
    return match[0] if match else b""


def ending(body: bytes) -> bytes:
    """What an array has behind its last row: white space and the bracket."""
    tail = body[-_TAIL_BYTES:]  # a row may be long, and each of these steps would copy it
    rest = tail.rstrip().removesuffix(b"]").rstrip()
    return tail[len(rest) :] if rest else body[len(body.rstrip().removesuffix(b"]").rstrip()) :]


def style(samples: Sequence[Rows]) -> tuple[bytes, bytes, bytes]:
    """What the application writes before the first row, between two, and behind the last."""
    longest = samples[0] if len(samples) == 1 else max(samples, key=lambda sample: min(len(sample.raw), 2))
    body = longest.body
    first = memoryview(longest.raw[0])  # a row may be long: it is not copied
    # Between rows stands nothing else: to match it costs a tenth of looking for the rows.
    start = len(opened[0]) if (opened := _OPENING.match(body)) else 0
    opening, closing = body[:start], ending(body)
    if len(longest.raw) > 1:
        between = _SEPARATOR.match(body, start + len(first))
        return opening, between[0] if between else b"", closing
    return opening, b"," + (opening[opening.index(b"[") + 1 :] or _space_inside(first)), closing


def _empty(samples: Sequence[Rows]) -> bytes:
    """An empty list, as a shard without rows writes it. Where each has rows: with the blank of `[ {…} ]`, which pretty
    printers that write it keep (Jackson), but without a line break, which they do not."""
    if any(sample.is_null for sample in samples):
        return b"null"
    for sample in samples:
        if not sample.raw:
            return sample.body
    body = samples[0].body if samples else b""
    blank = b" " if _BLANK.match(body) else b""
    return body[: len(body) - len(body.lstrip())] + b"[" + blank + b"]" + body[len(body.rstrip()) :]


def _space_inside(row: memoryview) -> bytes:
    """The white space behind a comma: as behind the first colon, where no comma is there to see."""
    match = _FIRST_COLON.match(row, 0, FIRST_MEMBER_BYTES_MAX)
    return bytes(match[1]) if match else b""
