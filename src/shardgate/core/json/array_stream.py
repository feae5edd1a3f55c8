"""A JSON array cut into rows while it arrives.

A cut is proven, not guessed: rows are taken only where `[` + the bytes so far + `]` is a JSON array, which is so only
between two values. Where to try is learned from the first rows. A wrong try costs time, never a row. Where rows are
long, their ends are looked for (row_ends.py).

Holds: the rows are those that `array.cut` gives for the whole body, and every body that it refuses is refused here.
Each call of `take` does a bounded piece of work, since a row has a bound.
Never: does IO, or waits; `take` returns None where it needs more bytes.
"""

import re
from collections import deque
from collections.abc import Iterator

import msgspec

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.array import Rows, cut, cut_early, ending
from shardgate.core.json.member_name import FIRST_MEMBER_BYTES_MAX, NAME
from shardgate.core.json.row_ends import RowEnds
from shardgate.core.limits import ROW_BYTES_MAX

# So much is cut in one step. It takes about 0.2 ms, half of it to read the sort keys.
STEP_BYTES = 64 * 1024
# From so many bytes without a whole row on, the end of a row is looked for: it takes 1 ms for each step.
LONG_BYTES = 4 * STEP_BYTES
GOES_ON = Rows([], b"[]")
"""No row yet, though bytes are left to look through: `take` is to be called again."""
_SPACE = b" \t\r\n"
_FIRST_MEMBER = re.compile(rb"\{[ \t\r\n]*+%b[ \t\r\n]*+:" % NAME)


class RowStream:
    """A JSON array that arrives piece by piece."""

    __slots__ = (
        "_between",
        "_closing",
        "_end",
        "_ended",
        "_ends",
        "_first_rows",
        "_looked",
        "_opening",
        "_pieces",
        "_row_bytes_max",
        "_taken",
        "_text",
        "_tried",
        "over",
        "size",
    )

    def __init__(self, row_bytes_max: int = ROW_BYTES_MAX) -> None:
        self._row_bytes_max = row_bytes_max
        self._pieces: deque[bytes] = deque()  # arrived, and not in the text yet
        self._text = b""
        self._tried = 0  # so many bytes of the text could not be cut
        self._taken = 0  # so many bytes of the body stand before the text
        self._ends: RowEnds | None = None  # of a long text; None: it is not long
        self._looked = 0  # so many bytes of the text were looked through
        self._end = 0  # the last row ends here, as far as they were; 0: none does
        self._ended = False
        self._first_rows: list[msgspec.Raw] = []  # two at most
        self._opening = b""  # the body as far as their end
        self._closing = b"]"
        self._between = b""  # what stands between two rows, and how a row begins
        self.over = False
        """All rows were taken."""
        self.size = 0
        """How many bytes have arrived that were not taken."""

    @property
    def sample(self) -> Rows:
        """A short list that shows what white space the application writes."""
        return Rows(self._first_rows, self._opening + self._closing)

    def feed(self, data: bytes) -> None:
        """Take in the next piece of the body."""
        self.size += len(data)
        if len(data) <= 4 * STEP_BYTES:
            self._pieces.append(data)
            return
        # A long piece is cut once: taking a little from it each time would copy the rest each time.
        self._pieces.extend(data[start : start + STEP_BYTES] for start in range(0, len(data), STEP_BYTES))

    def end(self) -> None:
        """The body is whole."""
        self._ended = True

    def take(self) -> Rows | None:
        """The next rows, and an array of them; None: more bytes must arrive first, or the stream is over.

        The first call that gives rows gives at least two, unless there are fewer. GOES_ON is no rows, but not the end.
        Raises BrokenReplyError, ReplyTooLargeError.
        """
        while not self.over:
            if self._ends is None or self._looked == len(self._text):
                # Joining, or trying again, at each piece would take time by the square of a long row's length.
                if not self._ended and self.size < min(max(1, 2 * self._tried), self._row_bytes_max):
                    return None
                self._fill()
                if self._ended and not self._pieces:
                    return self._take_last()
            rows = self._take_some() if len(self._text) < LONG_BYTES else self._take_long()
            if rows is not None:
                return rows
            self._tried = len(self._text)
            if self._tried >= self._row_bytes_max:
                raise self._too_long()
        return None

    def _fill(self) -> None:
        wanted = min(max(STEP_BYTES, 2 * self._tried), self._row_bytes_max) - len(self._text)
        pieces = [self._text]
        while self._pieces and wanted > 0:
            piece = self._pieces.popleft()
            if len(piece) > wanted + STEP_BYTES:
                self._pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            pieces.append(piece)
            wanted -= len(piece)
        self._text = b"".join(pieces)

    def _take_some(self) -> Rows | None:
        """Try to cut where a row may end."""
        text = self._text
        opening, start = self._start(text)
        if start is None:
            return None
        for end in self._candidates(text, start):
            rows = self._take_to(opening, start, end)
            if rows is not None:
                return rows
        return None

    def _take_long(self) -> Rows | None:
        """Look through the next bytes for the end of a row; cut at the last one, once all are looked through."""
        text = self._text
        opening, start = self._start(text)
        if start is None:
            return None
        ends = self._ends
        if ends is None:
            ends = self._ends = RowEnds(in_array=bool(self._first_rows))
            self._looked, self._end = start, 0
        piece = text[self._looked : self._looked + STEP_BYTES]
        found = ends.last(piece)
        if found is not None:
            self._end = self._looked + found
        self._looked += len(piece)
        if self._looked < len(text):
            return GOES_ON
        return self._take_to(opening, start, self._end) if self._end else None

    def _take_to(self, opening: bytes, start: int, end: int) -> Rows | None:
        """The rows up to here, where they are rows."""
        text = self._text
        rows = cut_early(b"%b%b]" % (opening, text[start:end]), self._taken + start - len(opening))
        if rows is None or (not self._first_rows and len(rows.raw) < 2):
            return None
        if not rows.raw:
            raise self._misplaced("a shard's list has a comma without a row", text, start)
        self._learn(text, rows.raw)
        self._text = text[end:]
        self._taken += end
        self.size -= end
        self._tried = 0
        self._ends = None
        return rows

    def _start(self, text: bytes) -> tuple[bytes, int | None]:
        """What an array of the next rows begins with, and where they begin in the text; None: they have not begun."""
        if not self._first_rows:
            return b"", 0
        position = len(text) - len(text.lstrip(_SPACE))
        if text[position : position + 1] not in {b"", b",", b"]"}:
            raise self._misplaced("a shard's list has no comma between two rows", text, position)
        return b"[", position + 1 if text[position : position + 1] == b"," else None

    def _take_last(self) -> Rows:
        text, self._text = self._text, b""
        opening, start = self._start(text)
        rows = cut(b"%b%b" % (opening, text[start or 0 :]), self._taken + (start or 0) - len(opening))
        if self._first_rows and bool(rows.raw) != (start is not None):
            raise self._misplaced("a shard's list has a comma without a row", text, start or 0)
        text = rows.body if rows.is_null else text
        self._learn(text, rows.raw)
        self._closing = ending(text)
        if not self._first_rows:
            self._opening = text[: len(text) - len(self._closing)]
        self.size = 0
        self.over = True
        return rows

    def _learn(self, text: bytes, rows: list[msgspec.Raw]) -> None:
        """Keep the first two rows, and what stands before and between them."""
        position = 0
        for row in rows[: 2 - len(self._first_rows)]:
            raw = bytes(row)
            end = text.index(raw, position) + len(raw)
            self._opening += text[position:end]
            if self._first_rows and (match := _FIRST_MEMBER.match(raw, 0, FIRST_MEMBER_BYTES_MAX)) is not None:
                self._between = text[position : end - len(raw)] + match[0]
            self._first_rows.append(row)
            position = end

    def _misplaced(self, detail: str, text: bytes, at: int) -> BrokenReplyError:
        return BrokenReplyError(detail, where=f"byte {self._taken + at}", log=f"found `{excerpt(text, at)}`")

    def _too_long(self) -> ReplyTooLargeError:
        problem = f"a row of a shard's list is larger than {self._row_bytes_max} bytes"
        where = f"byte {self._taken}"
        log = f"{self._tried} bytes came without a whole row; they begin with `{excerpt(self._text)}`"
        return ReplyTooLargeError(problem, where=where, log=log)

    def _candidates(self, text: bytes, start: int) -> Iterator[int]:
        """Where a row may end: first where the text looks as between the rows before, then at the end of any object."""
        if self._between:
            yield from _backwards(text, start, self._between, 0)
        yield from _backwards(text, start, b"}", 1)


def _backwards(text: bytes, start: int, mark: bytes, width: int) -> Iterator[int]:
    """Where a row may end by a mark: at the last mark, then at the next, then 1, 2, 4 … bytes before that one.

    A last row that is not whole may have many such marks inside. Doubling passes over them in few steps.
    """
    position, step = len(text), 0
    while (found := text.rfind(mark, start, position)) >= 0:
        yield found + width
        position = found - step
        step = 2 * step or 1
