"""Whether a change can be followed to its end: whatever a shard answers, its later calls can be made.

Holds: what cannot be followed is told before anything of it is sent, so that it cannot get stuck for that. It is tried
on one shard only where the request says nothing that could keep it from being taken back.
"""

import re
from collections.abc import Collection

from shardgate.core.body.reading import read_object
from shardgate.core.changes.entry import Entry
from shardgate.core.changes.values import unfit
from shardgate.core.errors import ClientError, MissingKeyError
from shardgate.core.wire.path import names_of

_COULD_NAME = re.compile(rb"[{<=:]")
"""Without one of these, no reader finds a member in a text: of JSON, XML, a form or YAML."""


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


def may_be_tried(entry: Entry, problem: ClientError) -> bool:
    """Whether one shard may be sent a change that cannot be followed: what it accepts must be taken back.

    It must not where the request itself gives the path of `undo` a value that cannot be a segment, or has a body in
    which the application could find such a value and the gateway cannot. What the request does not say, the
    application makes, and its reply says it.
    """
    undo, body = entry.terms.undo, entry.request.body
    if undo is None or unfit(undo.path, entry.variables, from_reply=True) is not None:
        return False
    if not isinstance(problem, MissingKeyError):
        return _COULD_NAME.search(body) is None
    document = read_object(body)
    unknown = [name for name in names_of(undo.path) if name not in entry.variables]
    return document is None or all(document.raw(name) in {None, b"null"} for name in unknown)
