"""Names that some parser takes for one another: `vendor_id`, `Vendor_ID`, `vendorId`, `vendor_id[]`.

Every reader of a key asks here, so that no parameter, member or header can name another key to the application than it
does to the gateway.

Holds: equal names are no twins. Names are twins where a widespread parser folds them: case (Go, .NET), `_` and `-`
(protobuf, CGI), `.` and spaces (PHP), brackets (qs, Rack, PHP), `$` before them (OData), what stands behind a NUL,
spaces at the ends, another form in Unicode (databases, IDNA). A name that is folded is cut to a few times the key's
length first.
Never: decodes a query or a body.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

_REMEMBERED = 4096
# Longer names are folded each time, so that a client cannot fill the memory.
_REMEMBERED_CHARACTERS = 64
# One alone: `__` divides a relation from its member (Django), and `_id` is not `id` (MongoDB).
_SEPARATORS = re.compile(r"(?<![-_. ])(?<!^)[-_. ](?![-_. ]|$)|[\[\]]")
_INSIDE = re.compile(r"[.\[]")
_EDGES = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0?&"
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_HEAD_CHARACTERS = 256
_DOT_ABOVE = "\u0307"
_OTHER = bytes(n if chr(n).isalnum() and n < 0x80 else 0x2D for n in range(256))
"""Every byte that is no letter or digit of ASCII becomes `-`."""


def is_twin(name: str, key: str) -> bool:
    """Whether a parser may read a parameter of this name as the key, or as a part of it: `vendor[0]`, `vendor.id`."""
    if name == key or ("%" not in name and not _begins_like(name, key, _like_parameter)):
        return False
    return _is_remembered_twin(name, key) if len(name) <= _REMEMBERED_CHARACTERS else _is_twin(name, key)


def lowered(name: str) -> str:
    """The name as a reader knows it that ignores case. Outside of ASCII readers differ: some read a long s as `s`."""
    return name.lower() if name.isascii() else name


def is_other_spelling(name: str, key: str) -> bool:
    """The same of a JSON member, whose name has no parts."""
    return name != key and looks_like(name, key) and _joined(_folded(name, key)) == _joined(_folded(key, key))


def looks_like(name: str, key: str) -> bool:
    """Whether a member's name must be folded to know whether it is the key's: false for nearly all, at little cost."""
    return _begins_like(name, key, _like_member)


def is_header_twin(name: bytes, key: bytes) -> bool:
    """Whether an application may take a header for another: CGI, WSGI and PHP fold all punctuation into `_`.

    Both names are in lower case.
    """
    return len(name) == len(key) and name != key and name.translate(_OTHER) == key.translate(_OTHER)


def _is_twin(name: str, key: str) -> bool:
    # OData reads `$top` without its sign, too.
    name, key = (unquote(name) if "%" in name else name).lstrip("$"), key.lstrip("$")
    if key.startswith("_") and (rest := name.lstrip(_EDGES)).startswith("."):
        name = f"_{rest[1:]}"  # PHP reads `.method` as `_method`
    folded, wanted = _folded(name, key), _joined(_folded(key, key))
    return _joined(folded) == wanted or wanted in _stems(folded) or _joined(folded) in _stems(_folded(key, key))


_is_remembered_twin = lru_cache(_REMEMBERED)(_is_twin)


def _stems(folded: str) -> list[str]:
    """The beginnings of a name: `a` and `ab` of `a[b][c]`."""
    return [_joined(folded[: cut.start()]) for cut in _INSIDE.finditer(folded) if cut.start()]


def _joined(folded: str) -> str:
    return _SEPARATORS.sub("", folded) or folded


def _folded(name: str, key: str) -> str:
    """No character of a key is made of more than a few, so that a longer name can have it at its beginning only."""
    name = name.partition("\0")[0][: 4 * len(key) + 32]
    if name.isascii():
        return name.strip(_EDGES).casefold()
    # Upper case first: a dotless i has no lower case but itself.
    plain = unicodedata.normalize("NFKC", name).upper().casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFD", plain).replace(_DOT_ABOVE, "")).strip(_EDGES)


def _begins_like(name: str, key: str, pattern: Callable[[str], re.Pattern[str]]) -> bool:
    """Whether the name has the letters of the key, up to a character outside of ASCII: that may be any, or several."""
    if name.isascii() and key.isascii():
        return pattern(key).match(name) is not None
    return not key.isascii() or _letters_of(key).startswith(_letters_of(_FOREIGN.split(name, 1)[0]))


@lru_cache(_REMEMBERED)
def _like_parameter(key: str) -> re.Pattern[str]:
    """What every twin begins with. A name of which the key is a part is let through, too: `filter` of `filter[a]`."""
    first = re.split(r"[.\[]", key.lstrip("[."))[0]
    return _spelled(first or key, "(?![A-Za-z0-9])", sign="$")


@lru_cache(_REMEMBERED)
def _like_member(key: str) -> re.Pattern[str]:
    return _spelled(key, r"(?:$|[\x00-\x20\x7f])")


def _spelled(key: str, ending: str, sign: str = "") -> re.Pattern[str]:
    letters = [f"[{letter.lower()}{letter.upper()}][-_. \\[\\]]*" for letter in key if letter.isalnum()]
    return re.compile(rf"[\x00-\x20\x7f?&\[_.{sign}-]*" + "".join(letters) + ending)


def _letters_of(name: str) -> str:
    return "".join([each for each in name[:_HEAD_CHARACTERS] if each.isalnum()]).casefold()
