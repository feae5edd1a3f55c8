"""A hook of MkDocs: the pages of the repository that stand outside of `docs/` belong to the site, too.

README.md is its first page. Links are written for readers of the repository. Here they lead to pages of the site;
files that are linked to, but are no pages (results, sources), are copied below `source/`.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from tools.docs.links import LINK

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "GLOSSARY.md": "glossary.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "deploy/terraform/README.md": "howto/terraform.md",
    "examples/bookings/README.md": "examples/bookings.md",
    "examples/json-server/README.md": "examples/json-server.md",
    "examples/json-server-beta/README.md": "examples/json-server-beta.md",
    "examples/drf/README.md": "examples/drf.md",
    "examples/fastapi/README.md": "examples/fastapi.md",
    "examples/parse-server/README.md": "examples/parse-server.md",
    "examples/pocketbase/README.md": "examples/pocketbase.md",
    "examples/spring-data-rest/README.md": "examples/spring-data-rest.md",
    "templates/plugin/README.md": "examples/plugin.md",
}
"""Path in the repository → page of the site."""

_CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_OTHER = re.compile(r"[a-z][a-z0-9+.-]*:|#|/")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside, and the files that pages link to."""
    from mkdocs.structure.files import File  # noqa: PLC0415  (an environment of its own has it)

    pages = [*OUTSIDE, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text()))
    for file in sorted({file for path in pages for file in _linked_files(path)}):
        copied = f"source/{file}"
        if files.get_file_from_path(copied) is None:
            files.append(File.generated(config, copied, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page to the pages of the site."""
    path = next((path for path, name in OUTSIDE.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")
    parts = _CODE.split(markdown)
    return "".join(part if number % 2 else _relinked(part, path) for number, part in enumerate(parts))


def site_path(path: str) -> str:
    """Where a file of the repository is on the site."""
    if path in OUTSIDE:
        return OUTSIDE[path]
    if (ROOT / path).is_dir():
        return site_path(f"{path}/README.md")
    return path.removeprefix("docs/") if path.startswith("docs/") and path.endswith(".md") else f"source/{path}"


def _relinked(text: str, path: str) -> str:
    folder = PurePosixPath(site_path(path)).parent

    def led(found: re.Match[str]) -> str:
        link = found[1]
        if _OTHER.match(link):
            return found[0]
        target, _, anchor = link.partition("#")
        there = os.path.relpath(site_path(_resolved(path, target)), folder)
        return found[0].replace(link, f"{there}#{anchor}" if anchor else there)

    return LINK.sub(led, text)


def _linked_files(path: str) -> list[str]:
    text = _CODE.sub("", (ROOT / path).read_text())
    targets = [link.partition("#")[0] for link in LINK.findall(text) if not _OTHER.match(link)]
    files = [_resolved(path, target) for target in targets]
    return [file for file in files if (ROOT / file).is_file() and site_path(file).startswith("source/")]


def _resolved(path: str, target: str) -> str:
    return os.path.normpath(PurePosixPath(path).parent / target)
