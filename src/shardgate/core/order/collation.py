"""Collations: how texts compare, by code point, without case, or as the readers of a language expect.

Holds: the keys that a collation makes of two texts compare as the texts do. Texts that it takes for equal are put in
order only where it is known what the application does with them.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from shardgate.core.errors import OrderBrokenError
from shardgate.core.excerpt import excerpt

Collate = Callable[[str], Any]
"""Makes the key of a text."""

_OPTIONS = {"collation", "va", "x", "kv"} | {
    f"col{name}"
    for name in ("alternate", "backwards", "casefirst", "caselevel", "normalization", "numeric", "reorder", "strength")
}
_OF_ALL_USES = False
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=64)
def collation(name: str) -> Collate | None:
    """The function that makes keys; None where texts are keys themselves. Raises ValueError for an unknown name."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    kind, _, tag = name.partition(":")
    if kind == "icu" and _LOCALE.fullmatch(tag):
        return _icu(tag)
    known = ", ".join(_BUILT_IN)
    raise ValueError(f"no collation is named {name!r}; there are {known}, and icu: with a locale (icu:sv)")


def collated(name: str, deterministic: bool | None, *, pads: bool = False) -> Collate | None:
    """The function that makes keys, with what decides between texts that the collation takes for equal.

    `deterministic`: their bytes do; False: the next sort key does; None: nobody has said it. `pads`: the shorter of two
    texts is compared as if it ended with spaces. Raises ValueError.
    """
    collate = collation(name)
    if pads:
        plain = collated(name, deterministic)
        # The end counts as a space: characters below it, such as a tab, stand before the end of a text.
        return _padded if plain is None else lambda text: plain(_padded(text))
    if collate is None or deterministic is False:
        return collate
    if deterministic:
        return lambda text: (collate(text), text.encode())
    return (lambda text: (collate(text), Undecided(text))) if name.startswith("icu:") else collate


class Undecided:
    """The last part of a text's key, which is compared only where the collation takes two texts for equal.

    Comparing it with that of another text raises OrderBrokenError.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Undecided) and other.text == self.text:
            return True
        raise OrderBrokenError(
            "the order of texts that the collation takes for equal is not known",
            log=f"found `{excerpt(self.text)}` and `{excerpt(getattr(other, 'text', ''))}`; write `deterministic` "
            "in the sort key: true where their bytes decide, as in PostgreSQL, false where the next key does",
        )

    def __lt__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.text)


def _padded(text: str) -> str:
    return text.rstrip(" ") + " "


def _lower(text: str) -> str:
    """Each character lowered by itself, as databases do: no letter becomes two, and none depends on its neighbours."""
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
    is_root = tag.partition("-")[0].lower() == "root"
    locale = icu.Locale("" if is_root else icu.Locale.forLanguageTag(tag).getName())
    if locale.getLanguage() not in {
        "" if is_root or tag.lower().startswith("und") else None,
        *[str(known.getLanguage()) for known in icu.Collator.getAvailableLocales().values()],
    }:
        raise ValueError(f"ICU has no collation for the locale {tag!r}")
    _check_options(icu, locale, tag)
    try:
        key: Collate = icu.Collator.createInstance(locale).getSortKey
    except icu.ICUError as error:
        raise ValueError(f"ICU cannot read the locale {tag!r}") from error
    return key


def _check_options(icu: Any, locale: Any, tag: str) -> None:
    """Raises ValueError for what ICU would pass over, and sort as if it were not there."""
    named = [*(locale.createKeywords() or ())]
    if strange := next((name for name in named if name not in _OPTIONS), None):
        raise ValueError(f"the locale {tag!r} has the option {strange!r}, which no collation of ICU has")
    kinds = icu.Collator.getKeywordValuesForLocale("collation", locale, _OF_ALL_USES)
    if "collation" in named and (kind := locale.getKeywordValue("collation")) not in set(map(str, kinds)):
        raise ValueError(
            f"ICU has no collation {kind!r} for the locale {tag!r}; there are {', '.join(map(str, kinds))}"
        )
