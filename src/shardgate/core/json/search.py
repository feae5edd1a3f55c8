"""Finds one member in a JSON text, in one reading that never makes values of what it passes over.

Holds: every object on the way to the member is read strictly: no member stands twice in it, and none is a twin of the
wanted one. Everything else is only checked to be JSON. What is read has bounds: members, length of names, depth, and
marks that are slow to read.
Never: decodes a value.
"""

import codecs
import re
from collections.abc import Iterator, Sequence

import msgspec

from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.key_value import TEXT_BYTES_MAX, too_long
from shardgate.core.json.surrogates import masked
from shardgate.core.limits import (
    BLANK_BYTES_MAX,
    FREE_JSON_BYTES_MAX,
    KEY_CHARACTERS_MAX,
    MEMBERS_MAX,
    NAME_BYTES_MAX,
    OPENED_BODY_BYTES_MAX,
    OPENED_MARKS_MAX,
    SEARCHED_MARKS_MAX,
)
from shardgate.core.twins import is_other_spelling

_RAW = msgspec.json.Decoder(msgspec.Raw)
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_OPENING = re.compile(rb"[ \t\r\n]*+\{[ \t\r\n]*+(\}?)")
_NAME = re.compile(
    rb'[ \t\r\n]*+"([^"\\\x00-\x1f]{0,%d}+|(?:[^"\\\x00-\x1f]|\\.){0,%d}+)"[ \t\r\n]*+:[ \t\r\n]*+'
    % (NAME_BYTES_MAX, NAME_BYTES_MAX)
)
_LONG_NAME = re.compile(rb'[ \t\r\n]*+"(?:[^"\\\x00-\x1f]|\\.){%d}' % NAME_BYTES_MAX)
# Most values, with what follows them. The others are passed over by the decoder.
_SHORT = re.compile(
    rb'(?:"[^"\\\x00-\x1f]{0,256}+"|-?(?:0|[1-9][0-9]{0,30}+)(?:\.[0-9]{1,30}+)?|true|false|null)(?=[ \t\r\n,}\]])'
)
_LONG_NUMBER = re.compile(rb"-?[0-9][-+.eE0-9]{%d}" % KEY_CHARACTERS_MAX)
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_END = re.compile(rb"[ \t\r\n]*+\Z")
_NEXT = re.compile(rb"[ \t\r\n]*+([,}])")
_ARRAY = re.compile(rb"[ \t\r\n]*+\[")
_NEXT_ITEM = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+")
_MARKS = b",[{\\"
_UTF_8 = codecs.getincrementaldecoder("utf-8")
_SLICE_BYTES = 64 * 1024

Span = tuple[int, int]


def refuse_heavy(text: bytes) -> None:
    """Refuse a long text that would take long to read, even once. Raises TooComplexError."""
    if len(text) <= FREE_JSON_BYTES_MAX:
        return
    marks = blank = 0
    for piece in _slices(text):  # once: to cut the slices of 16 MiB takes some milliseconds
        marks += _marks_of(piece)
        blank += piece.isspace()
    if marks > SEARCHED_MARKS_MAX:
        raise _too_many_marks(SEARCHED_MARKS_MAX)
    if blank * _SLICE_BYTES > BLANK_BYTES_MAX:
        raise TooComplexError(f"the body has more than {BLANK_BYTES_MAX} bytes of white space in long runs")


def _refuse_marks(text: bytes, marks_max: int) -> None:
    if len(text) > marks_max and sum(map(_marks_of, _slices(text))) > marks_max:
        raise _too_many_marks(marks_max)


def _marks_of(piece: bytes) -> int:
    return len(piece) - len(piece.translate(None, _MARKS))


def _too_many_marks(marks_max: int) -> TooComplexError:
    return TooComplexError(f"the body has more than {marks_max} commas, opening brackets and escapes")


def _slices(text: bytes) -> Iterator[bytes]:
    """A second text of 16 MiB would take 10 ms of new memory."""
    for start in range(0, len(text), _SLICE_BYTES):
        yield text[start : start + _SLICE_BYTES]


def refuse_long(text: bytes) -> None:
    """Refuse a text that is too long to be read several times. Raises TooComplexError."""
    if len(text) > OPENED_BODY_BYTES_MAX:
        raise TooComplexError(
            f"the body has {len(text)} bytes; one that is divided or completed may have {OPENED_BODY_BYTES_MAX}"
        )
    _refuse_marks(text, OPENED_MARKS_MAX)


def check_utf_8(text: bytes) -> None:
    """Raises UnicodeDecodeError. A text is never held a second time: it may take four times the memory."""
    if text.isascii():
        return
    decoder, view = _UTF_8(), memoryview(text)
    for start in range(0, len(text), _SLICE_BYTES):
        decoder.decode(view[start : start + _SLICE_BYTES], start + _SLICE_BYTES >= len(text))


class JsonSearch:
    """One text that is searched."""

    __slots__ = ("_is_for_key", "_text", "_view")

    def __init__(self, text: bytes) -> None:
        """Raises UnicodeDecodeError: the skipping below does not look into texts."""
        check_utf_8(text)
        self._text = text
        self._view = memoryview(text)
        self._is_for_key = False

    def find_key(self, path: Sequence[str]) -> bytes | None:
        """The same of a key: one that is too long is refused where it begins, and what follows is not read."""
        self._is_for_key = True
        return self.find(path)

    def find(self, path: Sequence[str]) -> bytes | None:
        """The value at a path of members, as it stands there; None where there is none.

        Raises ValueError where the text is not JSON, AmbiguousKeyError, TooComplexError.
        """
        try:
            span = self._find(path)
        except msgspec.DecodeError:
            # Half a surrogate pair may stand in a text (surrogates.py).
            copy = masked(self._text)
            if copy is None:
                raise
            span = JsonSearch(copy)._find(path)  # noqa: SLF001 - a search of a copy of the same length
        return None if span is None else self._text[span[0] : span[1]].rstrip(b" \t\r\n")

    def _find(self, path: Sequence[str]) -> Span | None:
        opening = _OPENING.match(self._text)
        if opening is None:
            self._check_all()
            return None
        span, position = self._in_object(opening, path, 0)
        if _END.match(self._text, position) is None:
            raise ValueError("more follows")
        return span

    def _in_object(self, opening: re.Match[bytes], path: Sequence[str], depth: int) -> tuple[Span | None, int]:
        """Where the value below an object stands, and where the object ends."""
        position = opening.end()
        if opening[1]:
            return None, position
        wanted, deeper = path[depth], depth + 1 < len(path)
        text = self._text
        found: Span | None = None
        names: set[str] = set()
        while True:
            name, position = self._name(position)
            if name in names or is_other_spelling(name, wanted):
                raise _twin(name, path[: depth + 1])
            names.add(name)
            if len(names) > MEMBERS_MAX:
                where = f"`{excerpt('.'.join(path[:depth]))}`" if depth else "the body"
                raise TooComplexError(f"{where} is an object of more than {MEMBERS_MAX} members")
            start = position
            inner = _OPENING.match(text, start) if name == wanted and deeper else None
            if inner is not None:
                found, position = self._in_object(inner, path, depth + 1)
            elif name == wanted and not deeper:
                if self._is_for_key:
                    self._refuse_long_key(start, ".".join(path))
                position = self._behind(start)
                found = start, position
            else:
                position = self._behind(start)
            closing = _NEXT.match(text, position)
            if closing is None:
                raise ValueError("an object does not end")
            position = closing.end()
            if closing[1] == b"}":
                return found, position

    def _name(self, position: int) -> tuple[str, int]:
        """The name of a member, and where its value stands."""
        match = _NAME.match(self._text, position)
        if match is None:
            if _LONG_NAME.match(self._text, position):
                raise TooComplexError(f"the name of a member is longer than {NAME_BYTES_MAX} bytes")
            raise ValueError("a member has no name")
        written = match[1]
        if b"\\" in written:
            return msgspec.json.decode(b'"%s"' % written, type=str), match.end()
        return written.decode(), match.end()

    def _behind(self, position: int) -> int:
        """Where the value ends that stands here; or the first character behind it that is no white space."""
        short = _SHORT.match(self._text, position)
        if short is not None:
            return short.end()
        try:
            _RAW.decode(self._view[position:])
        except msgspec.DecodeError as error:
            trailing = _TRAILING.search(str(error))
            if trailing is None:
                raise
            # msgspec counts the first trailing character as read.
            return position + int(trailing[1]) - 1
        except RecursionError as error:
            raise _too_deep() from error
        raise ValueError("an object does not end")

    def _refuse_long_key(self, start: int, path: str) -> None:
        """To decode 16 MiB of digits only to refuse them took 10 to 28 ms. Raises AmbiguousKeyError."""
        text, end = self._text, start + TEXT_BYTES_MAX
        is_long_text = len(text) > end and text.startswith(b'"', start) and _TEXT.match(text, start, end) is None
        if is_long_text or _LONG_NUMBER.match(text, start):
            raise too_long(path)

    def refuse_many_members(self, members_max: int) -> None:
        """Refuse an object of more members, without looking at what they hold.

        A text that is not an object, or not JSON, is left to others. Raises TooComplexError.
        """
        opening = _OPENING.match(self._text)
        if opening is None or opening[1]:
            return
        position, closing = opening.end(), b","
        for _ in range(members_max):
            try:
                _, position = self._name(position)
                match = _NEXT.match(self._text, self._behind(position))
            except (ValueError, msgspec.DecodeError):
                return
            if match is None or match[1] != closing:
                return
            position = match.end()
        raise TooComplexError(f"an object in the body has more than {members_max} members")

    def has_more_items(self, items_max: int) -> bool:
        """Whether the text is an array of more items. It may be no array, or no JSON, behind that many."""
        opening = _ARRAY.match(self._text)
        if opening is None or self._text.count(b",") < items_max:
            return False
        position = opening.end()
        for _ in range(items_max):
            try:
                match = _NEXT_ITEM.match(self._text, self._behind(position))
            except (ValueError, msgspec.DecodeError):
                return False
            if match is None:
                return False
            position = match.end()
        return True

    def _check_all(self) -> None:
        try:
            _RAW.decode(self._text)
        except RecursionError as error:
            raise _too_deep() from error


def _too_deep() -> TooComplexError:
    return TooComplexError("the JSON of the body is nested too deeply: some hundred levels are read")


def _twin(name: str, path: Sequence[str]) -> AmbiguousKeyError:
    """`name` stands twice, or can be read as the last name of the path."""
    parents = "".join([f"{each}." for each in path[:-1]])
    shown, meant = excerpt(parents + name), excerpt(parents + path[-1])
    if is_other_spelling(name, path[-1]):
        detail = f"the JSON member `{shown}` can be read as `{meant}`; only `{meant}` is accepted"
        return AmbiguousKeyError(detail, about={"member": shown})
    return AmbiguousKeyError(f"the JSON member `{shown}` stands twice: one is accepted", about={"member": shown})
