"""A text that may hold what a client or a shard sent, on one line of a log or of a terminal.

Holds: what is printed cannot end a line, move a terminal's cursor, or be longer than the bound. Words of any language
stay as they are (core/excerpt.py shows single values, in ASCII).
"""

import json


def printable(text: str, characters_max: int) -> str:
    """The text's beginning, with an escape for each character that cannot be printed; `…` where it goes on."""
    start = text if len(text) <= characters_max else f"{text[:characters_max]}…"
    if start.isprintable():
        return start
    return "".join([each if each.isprintable() else _escaped(each) for each in start])


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
