"""What is wrong with a JSON text, and where: for the log. It costs nothing while texts are right."""

import re

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt

_BYTE = re.compile(r"\(byte (\d+)\)")
_ROW = re.compile(r"\$\[(\d+)\]")
_TRUNCATED = "truncated"
_TRAILING = "trailing"


def broken(detail: str, error: Exception, text: bytes, *, start: int = 0) -> BrokenReplyError:
    """The error for a text that a decoder refused.

    `start`: how many bytes of the reply's body stand before the text. Bytes are counted from 0.
    """
    reason = str(error)
    at = _position(error, reason, text)
    if at is None:
        return BrokenReplyError(detail, where="", log=f"{reason}; found `{excerpt(text)}`")
    return BrokenReplyError(detail, where=f"byte {start + at}", log=f"{reason}; found `{excerpt(text, at)}`")


def row_in(error: Exception) -> int | None:
    """The number of the row, counted from 0, that a decoder's error names; None where it names none."""
    match = _ROW.search(str(error))
    return None if match is None else int(match[1])


def _position(error: Exception, reason: str, text: bytes) -> int | None:
    if isinstance(error, UnicodeDecodeError):
        return error.start
    match = _BYTE.search(reason)
    if match is not None:
        return int(match[1]) - (_TRAILING in reason)  # msgspec counts the first trailing character as read
    return len(text) if _TRUNCATED in reason else None
