"""Reads one parameter of a query or a form as every parser would read it, or refuses it.

Holds: a parameter that stands twice, or whose name a parser could take for the wanted one, is refused. The number of
parameters and the length of names and values have bounds.
Never: decodes a value that is not asked for.
"""

from urllib.parse import unquote_plus

from shardgate.core.clients.masking import shown
from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.key_value import too_long
from shardgate.core.limits import KEY_CHARACTERS_MAX, NAME_BYTES_MAX
from shardgate.core.paging.query import parts_of
from shardgate.core.twins import is_twin


def only_value(text: str, name: str, what: str = "query") -> str | None:
    """The value of a parameter, decoded; None where there is none. What is not UTF-8 in it becomes surrogates.

    Raises AmbiguousKeyError, TooComplexError.
    """
    found: str | None = None
    for part in parts_of(text, what):
        end = part.find("=")  # a part may be the whole body: only the value that is asked for is copied
        given = _decoded_name(part, end, what)
        if ";" in part:
            _check_pieces(part, name, what)
        if given == name:
            value = "" if end < 0 else part[end + 1 :]
            if found is not None:
                both = f"`{shown(name, unquote_plus(found))}` and `{shown(name, unquote_plus(value))}`"
                detail = f"the parameter `{excerpt(name)}` stands twice, as {both}: one is accepted"
                raise AmbiguousKeyError(detail, about={"parameter": name})
            found = value
        elif is_twin(given, name):
            raise _twin(given, name)
    if found is None:
        return None
    if len(found) > 3 * KEY_CHARACTERS_MAX:
        raise too_long(name)
    return unquote_plus(found, errors="surrogateescape") if "%" in found or "+" in found else found


def has_twin(part: str, name: str) -> bool:
    """Whether a part of a query has another spelling of a parameter, or hides it behind a `;`."""
    raw = part.partition("=")[0]
    pieces = part.split(";")[1:]
    return is_twin(_decoded(raw), name) or any(_is_or_twin(_decoded(piece.partition("=")[0]), name) for piece in pieces)


def _check_pieces(part: str, name: str, what: str) -> None:
    """`a=1;vendor=2`: old parsers separate parameters by `;`, too. Raises AmbiguousKeyError."""
    for piece in part.split(";"):
        given = _decoded(piece[:NAME_BYTES_MAX].partition("=")[0])
        if _is_or_twin(given, name):
            detail = (
                f"a `;` stands beside the parameter `{excerpt(given)}` of the {what}, and some parsers separate "
                f"parameters by it; `&` is accepted, and `%3B` for a `;` in a value of `{excerpt(name)}`"
            )
            raise AmbiguousKeyError(detail, about={"parameter": name})


def _is_or_twin(given: str, name: str) -> bool:
    return given == name or is_twin(given, name)


def _twin(given: str, name: str) -> AmbiguousKeyError:
    detail = f"the parameter `{excerpt(given)}` can be read as `{excerpt(name)}`; only `{excerpt(name)}` is accepted"
    return AmbiguousKeyError(detail, about={"parameter": given})


def _decoded_name(part: str, end: int, what: str) -> str:
    """The name of a part; `end`: where its `=` stands, or -1."""
    if (len(part) if end < 0 else end) > NAME_BYTES_MAX:
        raise TooComplexError(f"the name of a parameter of the {what} is longer than {NAME_BYTES_MAX} characters")
    return _decoded(part if end < 0 else part[:end])


def _decoded(raw: str) -> str:
    return unquote_plus(raw) if "%" in raw or "+" in raw else raw
