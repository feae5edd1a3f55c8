"""The JSON object in a request's body, read as strictly as the strictest application.

Holds: a body that another reader could read differently (a member twice, another encoding, comments) is refused. The
gateway would not find its items or its id, and the application might.
"""

import msgspec

from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.json.object import JsonObject


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object; None where the body is empty or another JSON value. Raises AmbiguousKeyError."""
    try:
        return JsonObject(body)
    except BrokenReplyError as error:
        refuse_unless_other(body, dict, error)
        return None


def refuse_unless_other(body: bytes, kind: type, error: BrokenReplyError) -> None:
    """Raises AmbiguousKeyError for a body that could not be read, unless it is empty or clearly another kind of
    JSON."""
    if not body:
        return
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        if not isinstance(value, kind):
            return
    where = f" at {error.where}" if error.where else ""
    detail = f"the body cannot be read{where}; JSON in UTF-8 is accepted, in which no object has a member twice"
    raise AmbiguousKeyError(detail, where=error.where, log=error.log) from error
