"""The tables of the reference: of a struct's fields, of all errors, of all decisions, of the audit."""

import inspect as python_inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from shardgate.audit.table import RULES
from shardgate.config.variables import variables
from shardgate.core import errors
from tools.docs.docstrings import field_docstring, own_fields
from tools.docs.markdown import table
from tools.docs.structs import FAMILIES, NOT_WRITTEN, READ_APART, STRUCTS
from tools.docs.words import Link, default_words, either, type_words

Anchors = Mapping[type[Any], str]
"""Struct → where its table stands, as seen from the page that is written."""


class UnexplainedFieldError(Exception):
    """A field of the configuration has no docstring."""


def fields_table(name: str, anchors: Anchors) -> str:
    """The table of a struct's fields. Raises UnexplainedFieldError."""
    shown = STRUCTS[name]
    own = own_fields(shown.struct, shown.beyond)
    info = inspect.type_info(shown.struct)
    assert isinstance(info, inspect.StructType)
    types = {field.name: field.type for field in info.fields}
    rows = [
        (
            f"`{field.encode_name}`",
            READ_APART.get((shown.struct, field.name))
            or type_words(types[field.name], _linked(anchors), optional=field.default is None),
            default_words(field),
            _meaning(shown.struct, field.name),
        )
        for field in msgspec.structs.fields(shown.struct)
        if field.name in own and (shown.struct, field.name) not in NOT_WRITTEN
    ]
    if not rows:
        return "It has no fields of its own.\n"
    return table(("field", "type", "default", "meaning"), rows)


def variables_table() -> str:
    """All variables of the environment that stand for fields."""
    rows = [(f"`{each.name}`", f"`{'.'.join(each.path)}`") for each in variables().values()]
    return table(("variable", "field"), rows)


def errors_table() -> str:
    """All errors of the gateway, by code."""
    found: list[type[Any]] = [
        each for each in vars(errors).values() if python_inspect.isclass(each) and hasattr(each, "code")
    ]
    rows = [
        (each.code, str(each.status), each.title, " ".join((python_inspect.getdoc(each) or "").split()))
        for each in sorted(found, key=lambda each: str(each.code))
    ]
    return table(("code", "status", "title", "meaning"), rows)


def audit_text() -> str:
    """A section for each rule of the audit."""
    return "\n".join(f"### {rule.number}: {rule.title}\n\n{rule.why}\n\nWhat to do: {rule.cure}.\n" for rule in RULES)


def decisions_table(folder: Path) -> str:
    """All decisions of a folder, by number: the first line of each is its title."""
    rows = []
    for file in sorted(folder.glob("[0-9]*.md")):
        match = re.fullmatch(r"# (\d+)\. (.+)", file.read_text().partition("\n")[0])
        if match is None:
            raise ValueError(f"{file.name} does not begin with `# NUMBER. TITLE`")
        rows.append((match[1], f"[{match[2]}]({file.name})"))
    return table(("", "decision"), rows)


def _meaning(struct: type[Any], name: str) -> str:
    text = field_docstring(struct, name)
    if not text:
        raise UnexplainedFieldError(f"{struct.__module__}: the field `{struct.__name__}.{name}` has no docstring")
    parts = text.split("`")  # every second one is code
    parts[::2] = [re.sub(r"\b[Nn]ull\b", "`null`", part) for part in parts[::2]]
    return "`".join(parts)


def _linked(anchors: Anchors) -> Link:
    """Words with links for structs."""

    def link(structs: frozenset[type[Any]]) -> str:
        if (family := FAMILIES.get(structs)) is not None:
            words, page = family
            return f"[{words}]({page})"
        return either([f"[{_called(struct)}]({anchors[struct]})" for struct in sorted(structs, key=_called)])

    return link


def _called(struct: type[Any]) -> str:
    """What a value of this struct is called where a field has one: its tag, or plainly a mapping."""
    tag = struct.__struct_config__.tag
    return f"`{tag}`" if tag is not None else "a mapping"
