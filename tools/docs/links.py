"""Links of the documentation that lead nowhere: to a file that is not there, or to a heading that a page does not have.

Links to other sites are not followed.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tools.docs.headings import anchors_in, prose

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_OTHER_SITE = re.compile(r"[a-z][a-z0-9+.-]*:")
_MADE = {".demo", ".bench", "node_modules", "dist", "site"}


def documents(root: Path = ROOT) -> list[Path]:
    """All pages of the repository in Markdown; not those of programs that are installed in it."""
    folders = [each for each in sorted(root.iterdir()) if each.is_dir()]
    kept = [each for each in folders if not each.name.startswith(".") and each.name not in _MADE]
    below = [page for folder in kept for page in sorted(folder.rglob("*.md"))]
    return sorted(root.glob("*.md")) + [page for page in below if not _MADE & {*page.relative_to(root).parts}]


def links_in(text: str) -> list[str]:
    """What a page links to within the repository."""
    return [link for link in LINK.findall(prose(text)) if not _OTHER_SITE.match(link)]


def broken_links(page: Path) -> Iterator[str]:
    """The links of a page that lead nowhere, each with what is missing."""
    for link in links_in(page.read_text()):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors_in(target.read_text()):
            yield f"{link}: that page has no such heading"
        elif anchor and target.is_dir():
            yield f"{link}: a folder has no headings"
