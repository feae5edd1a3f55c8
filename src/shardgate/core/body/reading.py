"""A request's body as the application will read it, or a refusal.

Holds: a body that another reader could take for something else (a member twice, another encoding, not quite JSON) is
refused: its items would go unrouted, its id unassigned.
"""

import msgspec

from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.json.object import JsonObject


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object; None where it is empty or another JSON value. Raises AmbiguousKeyError."""
    try:
        return JsonObject(body)
    except BrokenReplyError as error:
        refuse_unless_other(body, dict, error)
        return None


def refuse_unless_other(body: bytes, kind: type, error: Exception) -> None:
    """What could not be read as this kind is plainly another kind of JSON, or nothing at all."""
    if not body:
        return
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        plain = None
        readable = False
    else:
        readable = True
    if not readable or isinstance(plain, kind):
        raise AmbiguousKeyError("the body is not plain JSON in UTF-8, or has a member twice") from error
