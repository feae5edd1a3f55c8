"""Members that the gateway adds to a request's body: an id that must be the same on every shard.

Holds: a member that the client has set stays. The rest of the body keeps its bytes.
"""

from collections.abc import Mapping

import msgspec

from shardgate.core.body.reading import read_member, read_object
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.key_value import key_text
from shardgate.core.json.object import JsonObject


def assign(body: bytes, values: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The body with these members added where it lacks them, and the values that it has now.

    A member may be deep: `data.id`; it has no value where the body lacks the object that it belongs to.

    A body that is no JSON object is left as it is, for the application to refuse. Raises AmbiguousKeyError,
    TooComplexError.
    """
    document = read_object(body) if values else None
    if document is None:
        return body, {}
    found: dict[str, str] = {}
    added: list[bytes] = []
    for name, value in values.items():
        raw = read_member(document, name)
        if raw is not None and raw != b"null":
            found[name] = _own(raw, name)
            continue
        if raw is None and "." in name:
            try:
                document = JsonObject(document.put(name, value))
            except BrokenReplyError:
                continue
            found[name] = value
            continue
        found[name] = value
        if raw is None:
            added.append(b"%b:%b" % (msgspec.json.encode(name), msgspec.json.encode(value)))
        else:
            document = JsonObject(document.edited({name: value}))
    return _extended(document.body, added), found


def _own(raw: bytes, name: str) -> str:
    """The client's value as a text; empty where it is neither a text nor an integer."""
    try:
        return key_text(raw, name) or ""
    except msgspec.DecodeError:
        return ""


def _extended(body: bytes, added: list[bytes]) -> bytes:
    if not added:
        return body
    start = body.index(b"{") + 1
    empty = body[start:].lstrip().startswith(b"}")
    return b"%b%b%b%b" % (body[:start], b",".join(added), b"" if empty else b",", body[start:])
