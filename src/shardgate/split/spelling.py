"""Suggests the name that the user probably meant, where a name does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean x?" with the most similar known name, or "" if no name is similar."""
    names = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), names, n=1)
    return f" Did you mean {names[matches[0]]}?" if matches else ""
