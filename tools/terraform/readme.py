"""Writes the tables of inputs and outputs into the README of each module, and the costs into docs/howto/ecs.md.

python -m tools.terraform.readme
"""

import re
from pathlib import Path
from typing import Final

from tools.docs.markdown import table
from tools.terraform.code import Declared, declared
from tools.terraform.costs import costs_table
from tools.terraform.layout import CODE, MODULES, ROOT, ROOTS, modules

_PLACE: Final = re.compile(r"(<!-- (variable|output)s -->\n).*?(<!-- end -->)", re.DOTALL)


_COSTS: Final = re.compile(r"(<!-- costs -->\n).*?(<!-- end -->)", re.DOTALL)
PAGE: Final = ROOT / "docs" / "howto" / "ecs.md"


def described() -> list[Path]:
    """The folders that have a README with tables."""
    return [MODULES / name for name in modules()] + [CODE / "roots" / name for name in ROOTS]


def written(module: Path) -> str:
    """The README as it should be."""
    text = (module / "README.md").read_text()
    return _PLACE.sub(lambda found: found[1] + _table(declared(module, found[2]), found[2]) + found[3], text)


def with_costs() -> str:
    """The page with the costs as it should be."""
    return _COSTS.sub(lambda found: found[1] + costs_table() + found[2], PAGE.read_text())


def _table(rows: list[Declared], kind: str) -> str:
    if kind == "output":
        return table(("output", "meaning"), [(f"`{each.name}`", each.description) for each in rows])
    cells = [(f"`{each.name}`", each.description, f"`{each.type}`", _default(each)) for each in rows]
    return table(("input", "meaning", "type", "default"), cells)


def _default(variable: Declared) -> str:
    return "**required**" if variable.default is None else f"`{variable.default}`"


if __name__ == "__main__":
    for folder in described():
        (folder / "README.md").write_text(written(folder))
    PAGE.write_text(with_costs())
    print(f"written: {len(described())} READMEs below {CODE.relative_to(ROOT)}, and {PAGE.relative_to(ROOT)}")
