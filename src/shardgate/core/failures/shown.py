"""A value of somebody else's, as it may stand in a message: bounded, and on one line.

Holds: nothing that is shown can end a line, move a terminal's cursor, or be longer than the bound.
"""

import json

from shardgate.core.limits import SHOWN_CHARACTERS_MAX


def shown(value: str | bytes, characters_max: int = SHOWN_CHARACTERS_MAX) -> str:
    """The value's beginning, with an escape for each character that cannot be printed; `…` where it goes on."""
    bytes_max = 4 * (characters_max + 1)
    text = value[:bytes_max].decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    start = text if len(text) <= characters_max else f"{text[:characters_max]}…"
    if start.isprintable():
        return start
    return "".join([each if each.isprintable() else _escaped(each) for each in start])


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
