"""Writes docs/licences.md: the licence of every package, as its own metadata says.

python -m tools.supply.licences
"""

import re
from collections.abc import Iterable
from email.message import Message
from typing import Final, cast

from tools.docs.markdown import table
from tools.supply.packages import ROOT, installed, installed_gateway, is_installed, locked

PAGE = ROOT / "docs" / "licences.md"
PERMISSIVE: Final = re.compile(
    r"(?:MIT|MIT-0|Apache-2\.0|BSD-[23]-Clause|ISC|PSF-2\.0|Python-2\.0|MPL-2\.0|0BSD|Unlicense|BSD|CC0-1\.0"
    r"|Unicode-3\.0|LGPL-3\.0-only|LGPL-3\.0-or-later)"
)
"""What an installed gateway may consist of. MPL and LGPL bind changes of those packages, not their use."""

_SPDX: Final = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
}
"""Classifier → SPDX; `BSD` leaves open which of the BSD licences it is."""
_WRITTEN: Final = {
    "MIT License": "MIT",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD": "BSD",
    "LGPL with exceptions": "LGPL-3.0-only",
}
"""What the old field `License` says → SPDX."""


def licence(name: str) -> str:
    """The licence of an installed package as an SPDX expression, as far as its metadata says; `?`: they do not."""
    said = cast("Message", installed(name).metadata)
    if expression := said.get("License-Expression"):
        return str(expression)
    classifiers = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier", []) if each[:11] == "License :: "]
    found = [_SPDX[each] for each in classifiers if each in _SPDX]
    if found:
        return " OR ".join(dict.fromkeys(found))
    written = str(said.get("License") or "").strip().partition("\n")[0]
    return _WRITTEN.get(written, written[:60] or "?")


def is_permissive(expression: str) -> bool:
    """Whether every licence that an expression combines, or one of those it offers, is in PERMISSIVE."""
    return any(
        all(PERMISSIVE.fullmatch(each.strip(" ()").partition(" WITH ")[0]) for each in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def rows(names: Iterable[str]) -> list[tuple[str, str]]:
    """The packages among these that are installed here, each with its licence."""
    return [(name, licence(name)) for name in sorted(names) if is_installed(name)]


def page() -> str:
    """The page."""
    base, extras = installed_gateway()
    sections = (
        ("What `pip install shardgate` installs", base),
        ("What its extras add (`icu`, `jwt`, `split`)", extras),
        ("What only building and testing use", locked() - base - extras),
    )
    tables = [f"## {title}\n\n{table(('package', 'licence'), rows(names))}" for title, names in sections]
    return "\n".join([_HEAD, *tables])


_HEAD: Final = """\
# Licences

shardgate itself is under [Apache-2.0](../LICENSE). These are the packages in `requirements.lock`, with the licences
that their own metadata names, as SPDX expressions where they can be told. `make licences` writes this page. A test
holds that no package is missing, and that what an installed gateway consists of is under a permissive licence, or one
that binds changes of the package alone.

`make sbom` writes the versions and where they come from as CycloneDX.
"""

if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"written: {PAGE.relative_to(ROOT)}")
