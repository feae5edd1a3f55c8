"""How text compares, by each collation."""

from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.order.collation import collation

ACCENTS = ["cote", "côte", "coté", "côté"]


def by(name: str, texts: list[str]) -> list[str]:
    key = collation(name)
    assert key is not None
    return sorted(texts, key=key)


def test_binary_is_the_text_itself() -> None:
    assert collation("binary") is None


def test_whatever_the_case() -> None:
    assert by("case_insensitive", ["b", "A", "Ä", "a", "ä", "B", "z"]) == ["A", "a", "b", "B", "z", "Ä", "ä"]
    assert by("ascii_case_insensitive", ["ä", "Ä", "b", "A", "B", "_"]) == ["_", "A", "b", "B", "Ä", "ä"]


def test_a_small_letter_does_not_depend_on_its_neighbours_and_is_one_letter() -> None:
    key = collation("case_insensitive")
    assert key is not None
    assert key("ΟΔΟΣ") == "οδοσ"  # Python's own lower() ends it with another sigma
    assert key("İ") == "i"


def test_utf16_is_what_javascript_and_java_compare_by() -> None:
    assert by("utf16", ["\uffff", "😀", "a"]) == ["a", "😀", "\uffff"]


def test_the_readers_of_a_language() -> None:
    pytest.importorskip("icu")
    assert by("icu:de", ["zebra", "öl", "Ärger", "Zebra", "arger", "Arger"]) == [
        "arger", "Arger", "Ärger", "öl", "zebra", "Zebra",
    ]  # fmt: skip
    assert by("icu:sv", ["ö", "ä", "å", "z", "a"]) == ["a", "z", "å", "ä", "ö"]
    assert by("icu:fr-CA", ACCENTS) == ["cote", "côte", "coté", "côté"]
    assert by("icu:fr", ACCENTS) == ["cote", "coté", "côte", "côté"]
    assert by("icu:und-x-icu", ["b", "A", "a"]) == by("icu:und", ["b", "A", "a"]) == ["a", "A", "b"]
    assert by("icu:de-u-co-phonebk", ["Ad", "Ä", "Af"]) == ["Ad", "Ä", "Af"]
    key = collation("icu:en-u-ks-level2")
    assert key is not None
    assert key("Name") == key("nAME")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), min_size=2, max_size=6))
def test_keys_compare_as_icu_compares_texts(texts: list[str]) -> None:
    icu = pytest.importorskip("icu")
    collator = icu.Collator.createInstance(icu.Locale("sv"))
    assert by("icu:sv", texts) == sorted(texts, key=cmp_to_key(collator.compare))


# Found: ICU passes over what it does not know, so that texts were sorted in another order than the rule said.
PASSED_OVER = ["icu:zh-u-co-nope", "icu:de-u-xx-yyy", "icu:de-Foo", "icu:de-u-ks-level7"]


@pytest.mark.parametrize("name", ["german", "icu:", "icu:de_DE", "icu:xx", "icu:qqq-DE", "Binary", *PASSED_OVER])
def test_an_unknown_collation_is_refused(name: str) -> None:
    pytest.importorskip("icu")
    with pytest.raises(ValueError, match=r"collation|ICU"):
        collation(name)
