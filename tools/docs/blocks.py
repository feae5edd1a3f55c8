"""The blocks of code on a page, and what is said of each in the comment above it.

A block with a title (`yaml title="shardgate.yaml"`) is a file. `<!-- run: exit 1 -->` above a block of commands says
that they end so; `<!-- run: install -->` that they install the project, which a test does only when it is asked to.
"""

import re
from typing import NamedTuple

_BLOCK = re.compile(
    r"(?:^<!-- run: (?P<run>[^\n]+?) -->\n+)?"
    r"^```(?P<language>\w+)?(?:[ \t]+title=\"(?P<title>[^\"]+)\")?[ \t]*\n(?P<text>.*?)^```[ \t]*$",
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    """One block of code."""

    language: str
    text: str
    title: str
    """The file that it is; empty: it is none."""
    run: str
    """What the comment above it says; empty: nothing."""
    start: int
    """Where its text begins on the page."""
    behind: bool
    """It follows the block before it, with nothing between them."""


def blocks_in(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    found = []
    end = -1
    for match in _BLOCK.finditer(page):
        behind = end >= 0 and not page[end : match.start()].strip()
        found.append(
            Block(
                match["language"] or "",
                match["text"],
                match["title"] or "",
                match["run"] or "",
                match.start("text"),
                behind,
            )
        )
        end = match.end()
    return found


def files_in(page: str, title: str) -> list[str]:
    """The texts of all files of this name."""
    return [block.text for block in blocks_in(page) if block.title == title]
