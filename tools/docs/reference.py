"""Writes the tables of the documentation between their marks.

    python -m tools.docs.reference

A page says where a table stands: `<!-- fields: NAME -->`, `<!-- errors -->`, `<!-- commands -->`, `<!-- audit -->`,
`<!-- variables -->` or `<!-- decisions -->`, and `<!-- end -->` behind it. All else on a page is written by hand.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.docs.commands import commands_text
from tools.docs.headings import anchor_of
from tools.docs.structs import STRUCTS
from tools.docs.tables import audit_text, decisions_table, errors_table, fields_table, variables_table

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MARKED = re.compile(
    r"(<!-- (fields|errors|commands|decisions|audit|variables)(?:: (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL
)
_PLACE = re.compile(r"^(?P<heading>#{1,6} .+)$|^<!-- fields: (?P<name>\w+) -->$", re.MULTILINE)


def pages(docs: Path = DOCS) -> list[Path]:
    """The pages that have a table."""
    return [page for page in sorted(docs.rglob("*.md")) if MARKED.search(page.read_text())]


def rendered(page: Path, docs: Path = DOCS) -> str:
    """A page as it should be."""
    anchors = {
        struct: f"{os.path.relpath(file, page.parent) if file != page else ''}#{anchor}"
        for struct, (file, anchor) in places(docs).items()
    }
    return MARKED.sub(lambda found: f"{found[1]}{_written(found, page, anchors)}{found[4]}", page.read_text())


def places(docs: Path = DOCS) -> dict[type[Any], tuple[Path, str]]:
    """Struct → the page that has its table, and the heading above it."""
    found = {}
    for page in pages(docs):
        heading = ""
        for place in _PLACE.finditer(page.read_text()):
            if place["heading"] is not None:
                heading = place["heading"]
            else:
                found[STRUCTS[place["name"]].struct] = (page, anchor_of(heading))
    return found


def write(docs: Path = DOCS) -> list[Path]:
    """Write all pages anew; those that were stale."""
    stale = [(page, text) for page in pages(docs) if (text := rendered(page, docs)) != page.read_text()]
    for page, text in stale:
        page.write_text(text)
    return [page for page, _ in stale]


def _written(found: re.Match[str], page: Path, anchors: Mapping[type[Any], str]) -> str:
    if found[2] == "fields":
        return fields_table(found[3], anchors)
    if found[2] == "decisions":
        return decisions_table(page.parent)
    if found[2] == "audit":
        return audit_text()
    if found[2] == "variables":
        return variables_table()
    return errors_table() if found[2] == "errors" else commands_text()


if __name__ == "__main__":
    for written in write():
        print(f"written: {written.relative_to(ROOT)}")
