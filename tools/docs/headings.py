"""Headings of a page in Markdown, and the anchors that links reach them by."""

import re
from collections import Counter

_FENCE = re.compile(r"^(?P<fence>```+|~~~+)[^\n]*\n.*?^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} .+$", re.MULTILINE)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


def prose(text: str, *, code: bool = False) -> str:
    """A page without its blocks of code; without the code in its lines too, unless `code`."""
    text = _FENCE.sub("", text)
    return text if code else _CODE.sub("", text)


def anchor_of(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it: `## Limits and timeouts` → `limits-and-timeouts`."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lstrip("#").strip())
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors_in(text: str) -> set[str]:
    """All anchors of a page; a heading that comes twice has a number behind its second one."""
    seen: Counter[str] = Counter()
    found = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in _HEADING.findall(prose(text, code=True)):
        anchor = anchor_of(heading)
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
