"""What was found, in a few characters: for log lines and for the details of errors.

Holds: an excerpt is printable ASCII and at most 80 characters long: it cannot forge a line of a log, nor fill it.
"""

from typing import Final

EXCERPT_CHARACTERS_MAX: Final = 80
_BEFORE = 20
_WINDOW = 60
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def excerpt(text: bytes | str, at: int = 0) -> str:
    """The text around a position (a byte or a character, counted from 0), escaped; `...` stands where it was cut."""
    start = max(0, min(at, len(text)) - _BEFORE) if len(text) > _WINDOW else 0
    window = text[start : start + _WINDOW]
    plain = window if isinstance(window, str) else window.decode("utf-8", "backslashreplace")
    shown = plain.translate(_CONTROLS).encode("ascii", "backslashreplace").decode("ascii")
    opening = "..." if start else ""
    room = EXCERPT_CHARACTERS_MAX - len(opening)
    if start + _WINDOW >= len(text) and len(shown) <= room:
        return opening + shown
    return f"{opening}{shown[: room - 3]}..."
