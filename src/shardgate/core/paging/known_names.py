"""The names by which widespread applications page: `page`, `skip`, `_limit`, `page[number]`, `cursor`, `X-Per-Page`.

A list whose dialect does not name them would be wrong if the application read them: each shard would page its own rows.

Never: takes a filter for a page. `size=XL` and `start=2026-01-01` are filters; a page has a number.
"""

import re
from functools import lru_cache
from itertools import chain
from typing import Final, Literal

_SIZES: Final = (
    *("limit", "page_size", "per_page", "page_limit", "size", "top", "first", "last", "take", "rows", "count", "per"),
    *("max_results", "max_result", "items_per_page", "results_per_page", "hits_per_page", "rows_per_page"),
    *("records_per_page", "entries_per_page", "result_record_count", "page_length", "batch_size"),
)
_PLACES: Final = (
    *("offset", "page", "page_number", "page_num", "page_no", "page_index", "page_offset", "skip", "start"),
    *("start_index", "start_at", "start_row", "start_record", "first_result", "result_offset", "limitstart"),
    *("current_page", "cur_page", "page_start"),
)
_CURSORS: Final = (
    *("cursor", "page_token", "next_token", "next_page_token", "starting_after", "ending_before", "scroll_id"),
    *("continuation_token", "skip_token", "next_cursor", "after_cursor", "before_cursor", "page_cursor"),
    *("start_after", "resumption_token", "exclusive_start_key", "last_evaluated_key"),
)
_NUMBER: Final = re.compile(r"\s*[-+]?[0-9]")
_SIGNS: Final = re.compile(r"[-_. ]")
_REMEMBERED_CHARACTERS: Final = 64


_Kind = Literal["size", "place", "cursor"]
_KINDS: Final[dict[_Kind, tuple[str, ...]]] = {"size": _SIZES, "place": _PLACES, "cursor": _CURSORS}
_FOLDED: Final = {name.replace("_", ""): kind for kind, names in _KINDS.items() for name in names}
_FIELD_PREFIX: Final = re.compile(r"(?:x[-_])?(?:(?:pagination|paging|pager|list|query)-)?")
FIELDS: Final[frozenset[bytes]] = frozenset(
    [
        f"{x}{group}{name.replace('_', sign)}".encode()
        for x in ("", "x-", "x_")
        for group in ("", "pagination-", "paging-", "pager-", "list-", "query-")
        for name in chain.from_iterable(_KINDS.values())
        for sign in ("", "-", "_")
    ]
)
"""The fields of a request's head, in lower case, that have such a name: `page`, `x-per-page`, `x-pagination-limit`."""
OBJECTS: Final = frozenset({"page", "paging", "pagination", "pager"})
"""The names of objects, in lower case, in which a body pages: `{"pagination": {"limit": 20}}`."""


def may_page(name: str, value: str, *, sized: bool = True) -> bool:
    """Whether a widespread application pages by a parameter of this name and value. `sized`: it may read the size of a
    page."""
    kind = _kind(name) if len(name) <= _REMEMBERED_CHARACTERS else None
    if kind is None or (kind == "size" and not sized):
        return False
    return bool(value) if kind == "cursor" else _NUMBER.match(value) is not None


def field_may_page(name: bytes, value: bytes, *, sized: bool = True) -> bool:
    """The same of a field of a request's head, one of FIELDS."""
    return may_page(_FIELD_PREFIX.sub("", name.decode("latin-1"), count=1), value.decode("latin-1"), sized=sized)


@lru_cache(4096)
def _kind(name: str) -> _Kind | None:
    """What a parameter of this name says; None: nothing that pages."""
    plain = name.partition("[")[0].lstrip("$_")
    return _FOLDED.get(_SIGNS.sub("", plain).lower())
