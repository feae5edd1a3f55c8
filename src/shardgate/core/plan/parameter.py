"""Reads one parameter of a query or a form as every parser would read it, or refuses it.

Holds: a parameter that stands twice, or whose name a parser could take for the wanted one, is refused. The number of
parameters and the length of names and values have bounds.
Never: decodes a value that is not asked for.
"""

from collections.abc import Iterator
from urllib.parse import unquote_plus

from shardgate.core.clients.masking import shown
from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.key_value import too_long
from shardgate.core.limits import KEY_CHARACTERS_MAX, NAME_BYTES_MAX, PARAMETERS_MAX
from shardgate.core.twins import is_twin


def only_value(text: str, name: str, what: str = "query") -> str | None:
    """The value of a parameter, decoded; None where there is none. What is not UTF-8 in it becomes surrogates.

    Raises AmbiguousKeyError, TooComplexError.
    """
    found: tuple[int, int] | None = None
    for start, equals, end in _parts(text, what):
        given = _decoded(text[start:equals])
        if text.find(";", start, end) >= 0:
            _check_pieces(text[start:end], name, what)
        if given == name:
            if found is not None:
                both = " and ".join(
                    [f"`{shown(name, unquote_plus(text[slice(*each)]))}`" for each in (found, (equals + 1, end))]
                )
                detail = f"the parameter `{excerpt(name)}` stands twice, as {both}: one is accepted"
                raise AmbiguousKeyError(detail, about={"parameter": name})
            found = equals + 1, end
        elif is_twin(given, name):
            raise _twin(given, name)
    if found is None:
        return None
    start, end = found
    if end - start > 3 * KEY_CHARACTERS_MAX:
        raise too_long(name)
    value = text[start:end]
    return unquote_plus(value, errors="surrogateescape") if "%" in value or "+" in value else value


def _parts(text: str, what: str) -> Iterator[tuple[int, int, int]]:
    """Where each part begins, where its name ends, and where it ends. Nothing is copied: a value may be the whole body.

    Raises TooComplexError.
    """
    start = 0
    for _ in range(PARAMETERS_MAX):
        end = text.find("&", start)
        end = len(text) if end < 0 else end
        equals = text.find("=", start, end)
        equals = end if equals < 0 else equals
        if equals - start > NAME_BYTES_MAX:
            raise TooComplexError(f"the name of a parameter of the {what} is longer than {NAME_BYTES_MAX} characters")
        if end > start:
            yield start, equals, end
        start = end + 1
        if start > len(text):
            return
    raise TooComplexError(f"the {what} has more than {PARAMETERS_MAX} parameters")


def _check_pieces(part: str, name: str, what: str) -> None:
    """`a=1;vendor=2`: old parsers separate parameters by `;`, too. Raises AmbiguousKeyError,
    TooComplexError."""
    pieces = part.split(";", PARAMETERS_MAX)
    if len(pieces) > PARAMETERS_MAX:
        raise TooComplexError(f"a part of the {what} has more than {PARAMETERS_MAX} semicolons")
    for piece in pieces:
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


def _decoded(raw: str) -> str:
    return unquote_plus(raw) if "%" in raw or "+" in raw else raw
