"""One shard's list cut into rows while it comes.

A cut is proven, not guessed: rows are taken where `[` + what came + `]` is a JSON array. No prefix of an array is one,
but where it ends between two values. Where to try is learned from the first rows; a wrong try costs time, never a row.

Holds: the rows are those that `rows.cut` gives of the whole body, and what it refuses is refused.
Never: does IO, or waits; it says that it needs more.
"""

import re
from collections import deque
from collections.abc import Iterator

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import Rows, cut, cut_early, ending

# As much is cut at once: about 0.2 ms, of which half is to read sort keys.
STEP_BYTES = 64 * 1024
_SPACE = b" \t\r\n"
_FIRST_MEMBER = re.compile(rb'\{[ \t\r\n]*"(?:[^"\\]|\\.)*"[ \t\r\n]*:')


class RowStream:
    """A JSON array that comes piece by piece."""

    __slots__ = ("_ahead", "_begun", "_between", "_closing", "_ended", "_opening", "_text", "_tried", "over", "size")

    def __init__(self) -> None:
        self._ahead: deque[bytes] = deque()
        self._text = b""
        self._tried = 0  # so much of the text could not be cut
        self._ended = False
        self._begun: list[msgspec.Raw] = []  # the first two rows
        self._opening = b""  # the body as far as their end
        self._closing = b"]"
        self._between = b""  # what stands between two rows, and how a row begins
        self.over = False
        """All rows were taken."""
        self.size = 0
        """How many bytes have come that were not taken."""

    @property
    def sample(self) -> Rows:
        """A short list that shows what white space the application writes."""
        return Rows(self._begun, self._opening + self._closing)

    def feed(self, data: bytes) -> None:
        """A piece has come."""
        self.size += len(data)
        if len(data) <= 4 * STEP_BYTES:
            self._ahead.append(data)
            return
        # Cut once: to take a little from a long piece each time would copy its rest each time.
        self._ahead.extend(data[start : start + STEP_BYTES] for start in range(0, len(data), STEP_BYTES))

    def end(self) -> None:
        """There is no more."""
        self._ended = True

    def take(self) -> Rows | None:
        """The next rows, and an array of them; None: more must come first, or the stream is over.

        The first take gives two rows, unless there are fewer. Raises BrokenReplyError.
        """
        while not self.over:
            # To join, or to try again, at each piece would take time by the square of a long row's length.
            if not self._ended and self.size < max(1, 2 * self._tried):
                return None
            self._fill()
            if self._ended and not self._ahead:
                return self._take_last()
            rows = self._take_some()
            if rows is not None:
                return rows
            self._tried = len(self._text)
        return None

    def _fill(self) -> None:
        wanted = max(STEP_BYTES, 2 * self._tried) - len(self._text)
        pieces = [self._text]
        while self._ahead and wanted > 0:
            piece = self._ahead.popleft()
            if len(piece) > wanted + STEP_BYTES:
                self._ahead.appendleft(piece[wanted:])
                piece = piece[:wanted]
            pieces.append(piece)
            wanted -= len(piece)
        self._text = b"".join(pieces)

    def _take_some(self) -> Rows | None:
        text = self._text
        opening, start = self._start(text)
        if start is None:
            return None
        for end in self._candidates(text, start):
            rows = cut_early(b"%b%b]" % (opening, text[start:end]))
            if rows is None or (not self._begun and len(rows.raw) < 2):
                continue
            if not rows.raw:
                raise BrokenReplyError("a shard's list has a comma without a row")
            self._learn(text, rows.raw)
            self._text = text[end:]
            self.size -= end
            self._tried = 0
            return rows
        return None

    def _start(self, text: bytes) -> tuple[bytes, int | None]:
        """What an array of the next rows begins with, and where they begin; None: they do not yet."""
        if not self._begun:
            return b"", 0
        position = len(text) - len(text.lstrip(_SPACE))
        if text[position : position + 1] not in {b"", b",", b"]"}:
            raise BrokenReplyError("a shard's list has no comma between two rows")
        return b"[", position + 1 if text[position : position + 1] == b"," else None

    def _take_last(self) -> Rows:
        text, self._text = self._text, b""
        opening, start = self._start(text)
        rows = cut(b"%b%b" % (opening, text[start or 0 :]))
        if self._begun and bool(rows.raw) != (start is not None):
            raise BrokenReplyError("a shard's list has a comma without a row")
        self._learn(text, rows.raw)
        self._closing = ending(text)
        if not self._begun:
            self._opening = text[: len(text) - len(self._closing)]
        self.size = 0
        self.over = True
        return rows

    def _learn(self, text: bytes, rows: list[msgspec.Raw]) -> None:
        """Keep the first two rows, and what stands before and between them."""
        position = 0
        for row in rows[: 2 - len(self._begun)]:
            raw = bytes(row)
            end = text.index(raw, position) + len(raw)
            self._opening += text[position:end]
            if self._begun and (match := _FIRST_MEMBER.match(raw)) is not None:
                self._between = text[position : end - len(raw)] + match[0]
            self._begun.append(row)
            position = end

    def _candidates(self, text: bytes, start: int) -> Iterator[int]:
        """Where a row may end: first what looks like the rows before, then any object's end."""
        if self._between:
            yield from _backwards(text, start, self._between, 0)
        yield from _backwards(text, start, b"}", 1)


def _backwards(text: bytes, start: int, mark: bytes, width: int) -> Iterator[int]:
    """Ends of a row by a mark, from the last on, each time twice as many back.

    A last row that is not whole may have many such marks inside: they are passed over in few steps.
    """
    position, steps = len(text), 1
    while position > start:
        found = -1
        for _ in range(steps):
            earlier = text.rfind(mark, start, position)
            if earlier < 0:
                break
            found = position = earlier
        else:
            steps *= 2
            yield found + width
            continue
        if found >= 0:
            yield found + width
        return
