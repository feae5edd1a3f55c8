"""A JSON object as text: where its members stand, and the same text with some of them replaced.

Everything that is not replaced keeps its bytes: numbers, order, white space, unknown members.

Holds: a body that is not one JSON object in UTF-8, or has a member twice, is a broken reply.
Never: decodes a value.
"""

import re
from collections.abc import Mapping

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.array import without
from shardgate.core.json.fault import broken
from shardgate.core.json.member_name import FIRST_MEMBER_BYTES_MAX, NAME, behind_name
from shardgate.core.json.search import JsonSearch, Span
from shardgate.core.json.surrogates import decoded
from shardgate.core.twins import is_other_spelling

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OPENING = re.compile(rb"[ \t\r\n]*\{")
_FIRST = re.compile(rb"\{([ \t\r\n]*+)%b([ \t\r\n]*+:[ \t\r\n]*+)" % NAME)
_COMMA = re.compile(rb"[ \t\r\n]*,?")
_NUMBER = re.compile(rb"[0-9]{1,15}")
_QUOTE = 34
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class JsonObject:
    """One object's text. Members are named by path: `pagination.total`; a name that has dots itself comes first."""

    __slots__ = ("_levels", "_members_max", "body")

    def __init__(self, body: bytes, members_max: int | None = None) -> None:
        """`members_max`: the most members that an object may have which is looked into; for texts of clients.

        Raises BrokenReplyError, TooComplexError.
        """
        try:
            if not body.isascii():
                body.decode()
        except UnicodeDecodeError as error:
            raise broken("a shard's reply is not in UTF-8", error, body) from error
        self.body = body
        self._members_max = members_max
        self._levels: dict[str, dict[str, Span]] = {"": self._members(0, len(body))}

    def span(self, path: str) -> Span | None:
        """Where a member's value stands; None where there is none. Raises BrokenReplyError."""
        top = self._levels[""]
        if path in top:
            return top[path]
        parent, _, name = path.rpartition(".")
        if not parent:
            return None
        if parent not in self._levels:
            span = self.span(parent)
            inside = span is not None and self.body[span[0] : span[0] + 1] == b"{"
            self._levels[parent] = self._members(*span) if span is not None and inside else {}
        return self._levels[parent].get(name)

    def level(self, path: str) -> Mapping[str, Span] | None:
        """The members of the object at a path, and where their values stand; None where no object stands there. No
        path: its own.

        Raises BrokenReplyError.
        """
        if path and path not in self._levels:
            span = self.span(path)
            inside = span is not None and self.body[span[0] : span[0] + 1] == b"{"
            self._levels[path] = self._members(*span) if span is not None and inside else {}
        return self._levels[path] or None

    def has_twin(self, path: str) -> bool:
        """Whether the name of a member, or of its parent, also stands there in another spelling (`Limit`, `limit`).

        Raises BrokenReplyError.
        """
        self.span(path)
        parent, _, name = path.rpartition(".")
        if path in self._levels[""] or not parent:
            parent, name = "", path
        if any(is_other_spelling(other, name) for other in self._levels.get(parent, ())):
            return True
        return bool(parent) and self.has_twin(parent)

    def raw(self, path: str) -> bytes | None:
        """A member's value, as it stands there."""
        span = self.span(path)
        return None if span is None else self.body[span[0] : span[1]]

    def value(self, path: str) -> bytes:
        """A member's value, as it stands there. Raises BrokenReplyError where there is no such member."""
        value = self.raw(path)
        if value is None:
            raise self._lacks(path)
        return value

    def number(self, path: str | None) -> int | None:
        """A count; None where it is not stated. Raises BrokenReplyError where it is no count."""
        stated = value = None if path is None else self.raw(path)
        if value is None or stated is None or value == b"null":
            return None
        if value[:1] == b'"':  # as PHP gives it from many databases
            value = value[1:-1]
        if not _NUMBER.fullmatch(value):
            raise BrokenReplyError(
                f"a shard's {path} is not a count",
                where=f"member {path}",
                log=f"found `{excerpt(stated)}`, expected a number of at most 15 digits",
            )
        return int(value)

    def flag(self, path: str | None) -> bool | None:
        """A yes or no; None where it is not stated. Raises BrokenReplyError where it is neither."""
        value = None if path is None else self.raw(path)
        if value is None or value == b"null":
            return None
        if value not in {b"true", b"false"}:
            raise BrokenReplyError(
                f"a shard's {path} is neither true nor false", where=f"member {path}", log=f"found `{excerpt(value)}`"
            )
        return value == b"true"

    def edited(self, changes: Mapping[str | None, object]) -> bytes:
        """The text with other values for the members that it has; others are not added.

        A value that is bytes is put in as it is; any other is encoded (None is `null`). A number stands in quotes where
        the one before did.
        """
        spans: list[tuple[Span, bytes]] = []
        for path, value in changes.items():
            span = None if path is None else self.span(path)
            if span is not None:
                text = value if isinstance(value, bytes) else msgspec.json.encode(value)
                if type(value) is int and self.body[span[0]] == _QUOTE:
                    text = b'"%b"' % text
                spans.append((span, text))
        pieces: list[bytes] = []
        position = 0
        for (start, end), value in sorted(spans):
            pieces += (self.body[position:start], value)
            position = end
        return b"".join((*pieces, self.body[position:]))

    def put(self, path: str, value: object) -> bytes:
        """The text with a member of this value; a new one stands last in its object."""
        if self.span(path) is not None:
            return self.edited({path: value})
        start, end, name = self._parent(path)
        opening, colon, closing = _spacing(self.body[start:end])
        before = self.body[: end - 1 - len(closing)]
        comma = b"," + (opening or colon.partition(b":")[2]) if self.body[start + 1 : end - 1].strip() else b""
        member = msgspec.json.encode(name) + colon + msgspec.json.encode(value)
        return b"".join((before, comma, member, closing, self.body[end - 1 :]))

    def members(self, path: str) -> dict[str, bytes]:
        """The members of the object at a path, in its order; none where no object stands there. No path: its own."""
        span = (0, len(self.body)) if not path else self.span(path)
        if span is None or self.body[span[0] : span[0] + 1] != b"{":
            return {}
        return {name: self.body[start:end] for name, (start, end) in self._members(*span).items()}

    def rewritten(self, path: str, members: Mapping[str, bytes]) -> bytes:
        """The text with other members in the object at a path, in the white space that the object was written with."""
        span = self.span(path)
        if span is None:
            return self.body
        opening, colon, closing = _spacing(self.body[span[0] : span[1]])
        written = (b"," + (opening or colon.partition(b":")[2])).join(
            msgspec.json.encode(name) + colon + value for name, value in members.items()
        )
        inside = opening + written + closing if written else b""
        return b"".join((self.body[: span[0]], b"{", inside, b"}", self.body[span[1] :]))

    def without(self, path: str) -> bytes:
        """The text without a member."""
        if self.span(path) is None:
            return self.body
        start, end, name = self._parent(path)
        return self.body[:start] + bytes(without(msgspec.Raw(self.body[start:end]), {name})) + self.body[end:]

    def _members(self, start: int, end: int) -> dict[str, Span]:
        most = self._members_max
        if most is not None and self.body.count(b":", start, end) > most:
            JsonSearch(self.body[start:end]).refuse_many_members(most)
        return _members(self.body, start, end)

    def _parent(self, path: str) -> tuple[int, int, str]:
        """Where the object of a member stands, and the member's name in it. Raises BrokenReplyError."""
        whole = len(self.body) - len(self.body.lstrip()), len(self.body.rstrip())
        parent, _, name = path.rpartition(".")
        if path in self._levels[""] or not parent or path.startswith("@"):  # `@odata.nextLink` is one name
            return *whole, path
        span = self.span(parent)
        if span is None or self.body[span[0] : span[0] + 1] != b"{":
            raise self._lacks(parent)
        return *span, name

    def _lacks(self, path: str) -> BrokenReplyError:
        names = ", ".join(self._levels[""]) or "nothing"
        return BrokenReplyError(
            f"a shard's reply has no {path}", where=f"member {path}", log=f"the object has {excerpt(names)}"
        )


def _spacing(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The white space of an object: before the first member, around the colon (with it), behind the last member."""
    first = _FIRST.match(text, 0, FIRST_MEMBER_BYTES_MAX)
    closing = text[len(text[:-1].rstrip()) : -1]
    return (first[1], first[2], closing) if first else (b"", b":", b"")


def _members(body: bytes, start: int, end: int) -> dict[str, Span]:
    whole = start == 0 and end == len(body)
    text = body if whole else body[start:end]
    opening = _OPENING.match(text)
    try:
        values, text = decoded(_MEMBERS, text)
    except _BROKEN as error:
        raise broken("a shard's reply is not a JSON object", error, text, start=start) from error
    position = opening.end() if opening else 0
    spans: dict[str, Span] = {}
    for name, value in values.items():
        begin = behind_name(text, position, name)
        if begin is None:
            raise _twice(body, start + position)
        behind = begin + len(memoryview(value))
        spans[name] = (start + begin, start + behind)
        comma = _COMMA.match(text, behind)
        position = comma.end() if comma else behind
    if text[position:].strip(b" \t\r\n") != b"}":
        raise _twice(body, start + position)
    return spans


def _twice(body: bytes, at: int) -> BrokenReplyError:
    detail = "a shard's reply has one member twice"
    return BrokenReplyError(detail, where=f"byte {at}", log=f"found `{excerpt(body, at)}`")
