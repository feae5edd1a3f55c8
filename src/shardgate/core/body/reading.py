"""The JSON object in a request's body, read as strictly as the strictest application.

Holds: a body that another reader could read differently (a member twice, another encoding, comments) is refused. The
gateway would not find its items or its id, and the application might.
"""

import msgspec

from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.object import JsonObject
from shardgate.core.json.search import refuse_long
from shardgate.core.limits import MEMBERS_MAX

_RAW = msgspec.json.Decoder(msgspec.Raw)


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object; None where the body is empty or another JSON value.

    Raises AmbiguousKeyError, TooComplexError.
    """
    refuse_long(body)
    try:
        return JsonObject(body, MEMBERS_MAX)
    except BrokenReplyError as error:
        refuse_unless_other(body, b"{", error)
        return None


def read_member(document: JsonObject, path: str) -> bytes | None:
    """The value of a member. Raises AmbiguousKeyError where it also stands there in another spelling."""
    if document.has_twin(path):
        detail = f"the JSON member `{excerpt(path)}` also stands in the body in another spelling; one is accepted"
        raise AmbiguousKeyError(detail, about={"member": path})
    return document.raw(path)


def refuse_unless_other(body: bytes, opening: bytes, error: BrokenReplyError) -> None:
    """Raises AmbiguousKeyError for a body that could not be read, unless it is empty or clearly another kind of JSON.

    `opening`: the character that the expected kind begins with.
    """
    if not body:
        return
    try:
        value = bytes(_RAW.decode(body))
    except (msgspec.DecodeError, RecursionError):
        pass
    else:
        if not value.startswith(opening):
            return
    where = f" at {error.where}" if error.where else ""
    detail = f"the body cannot be read{where}; JSON in UTF-8 is accepted, in which no object has a member twice"
    raise AmbiguousKeyError(detail, where=error.where, log=error.log) from error
