"""How text compares: by code point, in whatever case, or as the readers of a language expect it.

Holds: the keys that a collation makes of texts compare as the texts do.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

Collate = Callable[[str], Any]
"""A text's key."""

_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=64)
def collation(name: str) -> Collate | None:
    """What makes the keys; None where texts are keys themselves. Raises ValueError with what to do."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    kind, _, tag = name.partition(":")
    if kind == "icu" and _LOCALE.fullmatch(tag):
        return _icu(tag)
    raise ValueError(f"no collation is named {name!r}; there are {', '.join(_BUILT_IN)}, and icu: with a locale")


def _lower(text: str) -> str:
    """Each character's own small letter, as databases lower: no letter becomes two, none looks at its neighbours."""
    return text.lower() if text.isascii() else "".join([character.lower()[0] for character in text])


def _ascii_lower(text: str) -> str:
    return text.translate(_ASCII)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be")


_ASCII = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}
_BUILT_IN: dict[str, Collate | None] = {
    "binary": None,
    "case_insensitive": _lower,
    "ascii_case_insensitive": _ascii_lower,
    "utf16": _utf16,
}


def _icu(tag: str) -> Collate:
    """The collation of a locale, by ICU: `de`, `sv-SE`, or with options, `de-u-co-phonebk-ks-level2` (BCP 47)."""
    try:
        icu: Any = import_module("icu")
    except ImportError as error:
        raise ValueError("no ICU is installed; install `shardgate[icu]`") from error
    language = tag.partition("-")[0].lower()
    if language not in {"und", "root"} and language not in {
        str(locale.getLanguage()) for locale in icu.Collator.getAvailableLocales().values()
    }:
        raise ValueError(f"the locale {tag!r} is none that ICU has an order of")
    try:
        locale = icu.Locale("" if language == "root" else icu.Locale.forLanguageTag(tag).getName())
        key: Collate = icu.Collator.createInstance(locale).getSortKey
    except icu.ICUError as error:
        raise ValueError(f"the locale {tag!r} cannot be read by ICU") from error
    return key
