"""The parts of a query string: names and values, decoded and encoded.

Holds: a part that is not asked for keeps its bytes; only what is compared is decoded.
"""

from functools import lru_cache
from urllib.parse import quote_plus, unquote_plus

from shardgate.core.errors import TooComplexError
from shardgate.core.limits import PARAMETERS_MAX


def parts_of(text: str, what: str = "query") -> list[str]:
    """The parts `name=value` of a query or form, as they stand there. Raises TooComplexError where they are too
    many."""
    parts = text.split("&", PARAMETERS_MAX)
    if len(parts) > PARAMETERS_MAX:
        raise TooComplexError(f"the {what} has more than {PARAMETERS_MAX} parameters")
    return [part for part in parts if part]


def pairs_of(query: str) -> list[tuple[str, str]]:
    """Names and values, decoded. A query in which nothing is encoded is only cut (1 µs instead of 4).

    Raises TooComplexError.
    """
    pairs = [(name, value) for name, _, value in [part.partition("=") for part in parts_of(query)]]
    if "%" in query or "+" in query:
        return [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    return pairs


def values_of(query: str, name: str) -> list[str]:
    """The values of a parameter, decoded."""
    return [unquote_plus(part.partition("=")[2]) for part in query.split("&") if name_of(part) == name]


def name_of(part: str) -> str:
    """The name of a query string's part, decoded."""
    name = part.partition("=")[0]
    return unquote_plus(name) if "%" in name or "+" in name else name


@lru_cache(maxsize=256)
def encoded(name: str) -> str:
    """A parameter's name, encoded for a query. There are only as many as the configuration names."""
    return quote_plus(name)
