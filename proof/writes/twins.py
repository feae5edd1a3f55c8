"""Pairs what each side makes up: ids, codes, times. The rest of two replies must be the same, byte for byte.

Holds: a pair is made once and is one to one; what a client has chosen, and what was there before, is its own twin.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

APART_S = 60.0
"""How far two times may lie apart that say when one request was served."""

_UUID, _ID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", rb"[0-9a-f]{32}"
_CODE = rb"BK-[0-9A-Z]{5}-[0-9A-Z]{5}(?:-[0-9A-Z]{6})?"
_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_TOKEN = re.compile(rb"(?<![0-9A-Za-z])(%b|%b|%b|%b)(?![0-9A-Za-z])" % (_UUID, _ID, _CODE, _TIME))
_IS_TIME = re.compile(_TIME)


class Twins:
    """What is known of both sides. Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ours: dict[bytes, bytes] = {}
        self._theirs: dict[bytes, bytes] = {}

    def know(self, text: bytes) -> None:
        """Everything in this text is the same on both sides."""
        with self._lock:
            for token in _TOKEN.findall(text):
                if token not in self._ours:
                    self._ours[token] = self._theirs[token] = token

    def translated(self, text: str) -> str:
        """A request to the monolith as the gateway is asked it; what is new in it the client has chosen."""
        data = text.encode()
        with self._lock:
            self.know(data)
            return _TOKEN.sub(lambda found: self._ours[found[1]], data).decode()

    def difference(self, theirs: bytes, ours: bytes) -> str | None:
        """What differs in two bodies; None where they are one, and then what was new in them is paired."""
        wanted, found = _TOKEN.split(theirs), _TOKEN.split(ours)
        if wanted[::2] != found[::2]:
            return _apart(theirs, ours)
        with self._lock:
            for their, our in zip(wanted[1::2], found[1::2], strict=True):
                if not self._pair(their, our):
                    known = self._ours.get(their, b"something new")
                    return f"{our.decode()} stands where {known.decode()} belongs, in {ours!r} instead of {theirs!r}"
        return None

    def rows_difference(self, theirs: Sequence[bytes], ours: Sequence[bytes]) -> str | None:
        """The same of rows whose order the ids decide, so that it differs: each has its like on the other side."""
        with self._lock:
            waiting = defaultdict(list)
            for row in ours:
                waiting[_shape(row, self._theirs.get)].append(row)
            for row in theirs:
                like = waiting[_shape(row, lambda token: token if token in self._ours else None)]
                if not like:
                    return f"no row is like {row!r}{self._nearest(row, theirs, ours)}"
                found = self.difference(row, like.pop(0))
                if found is not None:
                    return found
        left = [row for rows in waiting.values() for row in rows]
        return f"the rows {left!r} are too many" if left else None

    def _nearest(self, row: bytes, theirs: Sequence[bytes], ours: Sequence[bytes]) -> str:
        """For whoever looks for the cause: the rows with the same words but for what each side makes up."""
        words = _TOKEN.sub(b"?", row)
        same = [each for each in ours if _TOKEN.sub(b"?", each) == words]
        twins = {token.decode(): self._ours[token].decode() for token in _TOKEN.findall(row) if token in self._ours}
        found = f"; with the same words: {same[:3]!r}; twins: {twins}; {len(theirs)} rows and {len(ours)}"
        return found if same else f"{found}; all: {list(ours)!r}"

    def _pair(self, their: bytes, our: bytes) -> bool:
        if _IS_TIME.fullmatch(their):
            return _IS_TIME.fullmatch(our) is not None and abs(_seconds(their) - _seconds(our)) <= APART_S
        if their not in self._ours and our not in self._theirs:
            self._ours[their], self._theirs[our] = our, their
        return self._ours.get(their) == our


def rows_of(body: bytes) -> list[bytes]:
    """The rows of a list, each as it is written."""
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def _shape(row: bytes, name: Callable[[bytes], bytes | None]) -> bytes:
    """A row with the monolith's names for what is paired, and none for what is not."""
    return _TOKEN.sub(lambda found: name(found[1]) or b"?", _IS_TIME.sub(b"?", row))


def _seconds(time: bytes) -> float:
    return datetime.fromisoformat(time.decode()).timestamp()


def _apart(theirs: bytes, ours: bytes) -> str:
    place = next((n for n, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b and _literal(theirs, n)), 0)
    around = slice(max(0, place - 60), place + 120)
    return f"the body …{ours[around]!r} instead of …{theirs[around]!r}"


def _literal(text: bytes, place: int) -> bool:
    return not any(found.start() <= place < found.end() for found in _TOKEN.finditer(text))
