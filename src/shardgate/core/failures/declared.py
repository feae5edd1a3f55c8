"""A reply that is a failure by the application's own convention: 200, and an error in its body.

Holds: only a short body that is one JSON object is read. What cannot be read is no failure: the merge says what is
wrong with it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import FAILURE_BODY_BYTES_MAX

Signs = Mapping[str, Literal["any"] | tuple[str | int | bool, ...]]
"""Path of a member → the values by which it says that the request failed; `any`: each that is not null or false."""

_NOT_SET: Final = frozenset({b"null", b"false"})


def declared_failure(reply: Reply, signs: Signs) -> str | None:
    """What says that the reply is a failure, for the log; None: nothing does."""
    if not 200 <= reply.status < 300 or len(reply.body) > FAILURE_BODY_BYTES_MAX:
        return None
    if reply.body.lstrip()[:1] != b"{":
        return None
    try:
        body = JsonObject(reply.body)
        for path, values in signs.items():
            found = body.raw(path)
            if found is not None and _says(found, values):
                return f"member {path} is `{excerpt(found)}`"
    except BrokenReplyError:
        return None
    return None


def _says(found: bytes, values: Literal["any"] | tuple[str | int | bool, ...]) -> bool:
    if values == "any":
        return found not in _NOT_SET
    try:
        value = msgspec.json.decode(found)
    except msgspec.DecodeError:
        return False
    return any(type(value) is type(each) and value == each for each in values)
