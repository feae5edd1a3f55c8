"""Reads the variables and outputs of a module. `terraform fmt` writes their blocks, so lines and braces suffice.

Never: evaluates an expression.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

_BLOCK: Final = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}$', re.DOTALL | re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"^  (\w+) += (.*)$", re.MULTILINE)


class Declared(NamedTuple):
    """A variable or an output."""

    name: str
    description: str
    type: str
    """Empty for an output."""
    default: str | None
    """None: it must be given."""
    validated: bool


def declared(module: Path, kind: str) -> list[Declared]:
    """All variables (`kind="variable"`) or outputs of a module, in the order of their file."""
    text = "\n".join(file.read_text() for file in sorted(module.glob("*.tf")))
    return [_read(name, body) for each, name, body in _BLOCK.findall(text) if each == kind]


def _read(name: str, body: str) -> Declared:
    attributes = dict(_ATTRIBUTE.findall(body))
    description = attributes.get("description", "").strip('"').replace('\\"', '"')
    return Declared(name, description, attributes.get("type", ""), attributes.get("default"), "validation {" in body)
