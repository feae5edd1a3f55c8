"""Mistakes in how a gather is asked for: its method, and lists that are asked for by POST."""

from collections.abc import Iterator

from shardgate.core.merge import AnyMerger
from shardgate.core.merge.combining import Combining
from shardgate.core.merge.listed import Listed
from shardgate.core.routes.mistakes import Mistake


def check_method(method: str, place: str, merge: AnyMerger) -> Iterator[Mistake]:
    """A merge that reads the body of a POST is asked for by POST, and no other."""
    posted = is_posted(merge)
    if posted and method != "POST" and isinstance(merge, Listed):
        cure = "name another dialect: one with `kind: search` is for POST"
        yield Mistake(f"{place}.dialect", f"it reads the page from a body, which a {method} has not", cure)
    elif posted and method != "POST":
        yield Mistake(f"{place}.posted", f"a {method} is not asked for by POST", "remove it")
    elif not posted and method not in {"GET", "HEAD"}:
        cure = "serve it by another rule, or move it to `unserved`"
        if method == "POST":
            cure += "; or, if it only reads, write `posted: true` in the merge, or take a list with `kind: search`"
        yield Mistake("rule", f"a gather reads, and {method} does not", cure)


def check_by_post(method: str, merge: AnyMerger) -> Iterator[Mistake]:
    """What is wrong in `by_post`; what is wrong in its list is found as for other lists."""
    if method != "GET":
        yield Mistake("by_post", f"it is for a GET that is asked for by POST, not for a {method}", "remove it")
    if not is_posted(merge):
        cure = "take a list with `kind: search`, or a report with `posted: true`"
        yield Mistake("by_post", "this merge does not read the body", cure)


def is_posted(merge: AnyMerger) -> bool:
    """Whether the merge reads the body of a POST."""
    return merge.dialect.posted if isinstance(merge, Listed) else isinstance(merge, Combining) and merge.posted
