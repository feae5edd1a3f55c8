"""Suggests the name that a user probably meant where a name does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean x?" with the most similar known name, or "" if no name is similar."""
    matches = get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1)
    return f" Did you mean {matches[0]}?" if matches else ""
