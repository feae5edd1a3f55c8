"""Links of the documentation lead somewhere, in the repository and on the site."""

import re
from pathlib import Path

import pytest

from shardgate.core.rulebook.words import PAGES
from tools.docs.headings import anchor_of, anchors_in
from tools.docs.links import ROOT, broken_links, documents, links_in
from tools.docs.site import OUTSIDE, on_page_markdown, site_path

SITE = (ROOT / "mkdocs.yml").read_text()


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A place\n```sh\n# No heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#a-place) [b](#no) [c](gone.md) [d](other.md#no-heading) `[e](gone.md)` [f](https://x.y/z)"
    )
    assert [problem.partition(":")[0] for problem in broken_links(page)] == ["#no", "gone.md", "other.md#no-heading"]


def test_an_anchor_is_what_readers_of_the_repository_and_of_the_site_get() -> None:
    assert anchor_of("## Limits and timeouts") == "limits-and-timeouts"
    assert anchor_of("### `link_header`: what is it?") == "link_header-what-is-it"
    assert anchors_in("# A\n## B\n## B\n") == {"a", "b", "b-1"}


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    named = set(re.findall(r"^ +- (?:[^#\n]+: )?([\w/-]+\.md)$", SITE, re.MULTILINE))
    pages = {site_path(str(page.relative_to(ROOT))) for page in (ROOT / "docs").rglob("*.md")} | set(OUTSIDE.values())
    decisions = {page for page in pages if page.startswith("decisions/0")}
    assert pages - decisions == named


def test_every_page_that_the_source_names_is_there() -> None:
    sources = [path for folder in ("src", "proof", "bench", "tools") for path in (ROOT / folder).rglob("*.py")]
    named = {page for path in sources for page in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text())}
    named |= {f"docs/reference/{page}.md" for page in PAGES}
    assert len(named) > len(PAGES)
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []


def test_every_page_that_a_page_of_the_site_links_to_is_on_the_site() -> None:
    for path in [*OUTSIDE, *(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]:
        led = links_in(on_page_markdown((ROOT / path).read_text(), _Page(site_path(path))))
        assert [link for link in led if "source/" in link and link.partition("#")[0].endswith(".md")] == [], path


class _Page:
    """A page as MkDocs gives it to a hook."""

    def __init__(self, path: str) -> None:
        self.file = self
        self.src_uri = path


def test_links_lead_to_the_pages_of_the_site() -> None:
    text = "[a](docs/bench.md#x) [b](GLOSSARY.md) [c](bench/results/latest.svg) [d](https://x.y) `[e](docs/bench.md)`"
    led = on_page_markdown(text, _Page("index.md"))
    assert links_in(led) == ["bench.md#x", "glossary.md", "source/bench/results/latest.svg"]
    assert "`[e](docs/bench.md)`" in led
    assert on_page_markdown("[a](../../ARCHITECTURE.md)", _Page("howto/split.md")) == "[a](../architecture.md)"
    assert on_page_markdown("[a](../decisions)", _Page("howto/split.md")) == "[a](../decisions/README.md)"
