"""How an application writes a list without rows: `[]`, `[ ]` or `null`.

A page behind the last row is made of replies that have rows, in which that cannot be seen. One shard is then asked the
client's own request; what it writes is known from then on, so that one page of each rule pays for it.

Holds: bounded; a new configuration begins anew.
"""

from collections.abc import Sequence
from typing import Final

from shardgate.core.json.array import Rows
from shardgate.core.lists.rule import ListRule

RULES_REMEMBERED_MAX: Final = 1024

_KNOWN: Final[dict[int, tuple[ListRule, Rows]]] = {}
"""By the rule's identity."""


def seen(rule: ListRule, samples: Sequence[Rows]) -> Rows | None:
    """How lists without rows are written: as one of the samples is, or as it was seen before; None: not known yet."""
    for rows in samples:
        if not rows.raw:
            if len(_KNOWN) >= RULES_REMEMBERED_MAX:
                _KNOWN.clear()
            _KNOWN[id(rule)] = (rule, rows)
            return rows
    known = _KNOWN.get(id(rule))
    return known[1] if known is not None and known[0] is rule else None
