"""Ids that the gateway gives to what is made: the form that the configuration asks for, filled with a random number.

Never: makes a random number: the caller passes one of so many bits.
"""

from typing import Final
from uuid import UUID

# Crockford's base 32: no letter reads like a digit.
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS_A_LETTER: Final = 5
_UUID_BITS: Final = 128


def bits_of(form: str) -> int:
    """How many random bits an id of this form takes (`IdForm` of the rules)."""
    return _UUID_BITS if form in {"hex", "uuid"} else _BITS_A_LETTER * form.count("?")


def id_of(form: str, number: int) -> str:
    """The id: 32 hex digits or a UUID of version 4 (RFC 9562); or the form itself, with a letter for each `?`."""
    if form in {"hex", "uuid"}:
        value = UUID(int=number, version=4)
        return value.hex if form == "hex" else str(value)
    written = []
    for letter in form:
        if letter == "?":
            written.append(_LETTERS[number % len(_LETTERS)])
            number >>= _BITS_A_LETTER
        else:
            written.append(letter)
    return "".join(written)
