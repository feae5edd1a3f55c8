"""Whether a change can be followed to its end: whatever a shard answers, its later calls can be made.

Holds: what cannot be followed is told before anything of it is sent, so that it cannot get stuck for that.
"""

from collections.abc import Collection

from shardgate.core.changes.entry import Entry
from shardgate.core.changes.values import unfit
from shardgate.core.errors import MissingKeyError


def require_followable(entry: Entry, unassigned: Collection[str]) -> None:
    """Raises MissingKeyError where a shard's reply could be lost and nobody could ask for the outcome.

    `unassigned`: the members that the gateway could not give the body, though they must be the same on all shards.
    """
    terms = entry.terms
    if (lacking := min(unassigned, default=None)) is not None:
        detail = f"the body must be a JSON object, so that all shards get the same `{lacking}`"
        raise MissingKeyError(detail, about={"member": lacking})
    later = (terms.confirm, terms.undo)
    name = unfit(terms.check, entry.variables) or next(
        (found for each in later if each and (found := unfit(each.path, entry.variables, from_reply=True))), None
    )
    if name is not None:
        detail = f"the member `{name}` is needed: a text or a whole number that can be a segment of a path"
        raise MissingKeyError(detail, about={"member": name})
