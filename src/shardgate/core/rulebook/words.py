"""What to write instead: words that were renamed, words that are almost right, and the page that says more."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from shardgate.core.routes.mistakes import near

RENAMED: Final[Mapping[tuple[str, str | None], str]] = {
    ("rule", "split"): "divide",
    ("mode", "together"): "all_or_none",
    ("not_found", None): "not_here",
}
"""Old words of the configuration: (field, old value) → new value; (old field, None) → new field."""

_PAGES: Final = (
    (r"\.dialect(\.|$)|\bdialects\.", "dialects"),
    (r"\.(merge|by_post)\.parts|\.(parts|change)(\.|$)", "parts"),
    (r"\.(merge|by_post)\.(keys|default_order|tie|dedupe)", "lists"),
    (r"\.(merge|by_post)\b", "merges"),
    (r"\.(policy|pinned|pinned_by|space|tenant)(\.|$)", "place"),
    (r"\bidempotency", "idempotency"),
    (r"\.(requests|request|replies|reply|base|requests_max|at_once)(\.|$)", "batch"),
    (r"\.(items|items_max|into|mode|sum|assign|check|repeat|already|undo|confirm|position|whole_\w+)\b", "changes"),
    (r"^(rules|unserved)\b|x-shardgate$|\.x-shardgate\.(?!locators|dialects)", "rules"),
    (r"\blocators\b", "locators"),
    (r"^cursors", "cursors"),
    (r"^clients", "clients"),
    (r"^(tls|forwarded|trusted_proxies)|^shards\.[^.]+\.(ca|certificate|key|server_name)", "tls"),
    (r"^(admin|access_log|compress|journal|store)", "operating"),
    (r"^(limits|timeouts)", "limits"),
    (r"^request_trailers", "messages"),
    (r"", "index"),
)
"""Where a mistake stands → the page of docs/reference that tells what can be written there. The first match counts."""

PAGES: Final = tuple(dict.fromkeys(page for _, page in _PAGES))


def page_of(path: str) -> str:
    """The page that tells what can be written at a place."""
    return next(f"docs/reference/{page}.md" for pattern, page in _PAGES if re.search(pattern, path))


def renamed_field(field: str, fields: Iterable[str]) -> str | None:
    """The new name of a field."""
    new = RENAMED.get((field, None))
    return new if new is not None and new in fields else None


def meant(field: str, word: object, words: Iterable[str]) -> tuple[str | None, str]:
    """The word that is meant instead of an unknown one, if that can be told; and the cure."""
    known = list(words)
    new = RENAMED.get((field, str(word)))
    if new in known:
        return new, f"write `{field}: {new}`: {word!r} is the old word for it"
    close = near(str(word), known)
    if close is not None:
        return close, f"did you mean `{close}`? There are: {', '.join(known)}"
    return None, f"take one of: {', '.join(known)}"
