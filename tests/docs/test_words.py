"""Types and defaults are said as a reader of YAML knows them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from tools.docs import tables
from tools.docs.docstrings import field_docstring, own_fields
from tools.docs.markdown import table
from tools.docs.structs import Shown
from tools.docs.tables import UnexplainedFieldError, fields_table
from tools.docs.words import default_words, type_words, yaml_words


class Base(msgspec.Struct, frozen=True):
    """A base."""

    first: str = "a"
    """The first."""


class Derived(Base, frozen=True, kw_only=True, tag="derived"):
    """Of it."""

    first: str = "b"
    second_bytes_max: int = 16 * 1024 * 1024
    """The second,
    in two lines."""
    third_s: float = 7200.0
    fourth: str


def test_a_docstring_is_that_of_the_nearest_class() -> None:
    assert field_docstring(Derived, "first") == "The first."
    assert field_docstring(Derived, "second_bytes_max") == "The second, in two lines."
    assert field_docstring(Derived, "fourth") == ""
    assert own_fields(Derived, Base) == {"first", "second_bytes_max", "third_s", "fourth"}
    assert own_fields(Derived) == own_fields(Derived, Base)


def test_defaults_are_said_with_their_units() -> None:
    said = {field.name: default_words(field) for field in msgspec.structs.fields(Derived)}
    assert said == {
        "first": "`b`",
        "second_bytes_max": "`16777216` (16 MiB)",
        "third_s": "`7200` (2 hours)",
        "fourth": "**required**",
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (("GET", 7, None, True), "[GET, 7, null, true]"),
        ({"a": ()}, "{a: []}"),
        ("", '""'),
        (0.5, "0.5"),
        (Derived(fourth=""), '{type: derived, first: b, second_bytes_max: 16777216, third_s: 7200, fourth: ""}'),
        (Base(), "{}"),
    ],
)
def test_values_are_written_as_yaml_writes_them(value: Any, said: str) -> None:
    assert yaml_words(value) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Annotated[int, msgspec.Meta(ge=1, le=9)], "whole number, 1 to 9"),
        (Annotated[int, msgspec.Meta(ge=1)], "whole number, at least 1"),
        (Annotated[float, msgspec.Meta(gt=0, le=86_400)], "number, greater than 0, at most 86,400"),
        (tuple[str, ...], "list of texts"),
        (Mapping[str, tuple[int, ...]], "mapping of text to list of whole numbers"),
        (Literal["b", "a"] | None, "`a` or `b` or `null`"),
        (str | Derived, "text or [derived]"),
    ],
)
def test_types_are_said_in_words(kind: Any, said: str) -> None:
    def link(structs: frozenset[type[Any]]) -> str:
        return ", ".join(f"[{struct.__struct_config__.tag}]" for struct in structs)

    assert type_words(msgspec.inspect.type_info(kind), link) == said


def test_a_cell_does_not_end_at_a_bar() -> None:
    assert table(("a", "b"), [("x|y", "")]) == "| a | b |\n| --- | --- |\n| x\\|y | |\n"


class Nulled(msgspec.Struct, frozen=True):
    """Its field may be null."""

    field: str | None = "a"
    """`a | null`, or null. Null: there is none."""


def test_a_null_is_written_as_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.STRUCTS, "Nulled", Shown(Nulled))
    assert r"| `a \| null`, or `null`. `null`: there is none. |" in fields_table("Nulled", {})


def test_a_field_without_a_docstring_has_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.STRUCTS, "Derived", Shown(Derived))
    with pytest.raises(
        UnexplainedFieldError, match=r"tests\.docs\.test_words: the field `Derived\.third_s` has no docstring"
    ):
        fields_table("Derived", {})
