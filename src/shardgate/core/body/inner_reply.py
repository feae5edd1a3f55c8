"""The replies to the requests of a batch, written in their order as the rule `batch` says.

Never: reads what a reply means.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from shardgate.core.body.inner import InnerRequest
from shardgate.core.http import Reply

_ANY = msgspec.json.Decoder(msgspec.Raw)
_EMPTY: Final[dict[str, bytes | None]] = {"null": b"null", "object": b"{}", "text": b'""', "absent": None}

HeaderFields = Sequence[tuple[bytes, bytes]]
"""Names and values."""


class ReplyMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of an inner reply; null: there is no such member."""

    id: str | None = None
    """The `id` of the request, where it has one."""
    status: str | None = None
    """The status."""
    headers: str | None = None
    """The header fields."""
    headers_are: Literal["object", "list"] = "object"
    """How header fields stand there: `{"ETag": "x"}`, or a `list`: `[{"name": "ETag", "value": "x"}]`."""
    body: str | None = None
    """The body."""
    body_is: Literal["json", "text"] = "json"
    """How the body stands there: as a JSON value, or as a `text` that holds the JSON."""
    empty: Literal["null", "absent", "object", "text"] = "null"
    """What stands for an empty body: `null`, nothing (`absent`), an empty `object`, or an empty `text`."""
    success: str | None = None
    """The body, where the status is below 400."""
    error: str | None = None
    """The body, where the status is 400 or more."""
    always: Mapping[str, str | int | bool | None] = msgspec.field(default_factory=dict)
    """Members that are always the same: `{jsonrpc: "2.0"}`."""


def written(members: ReplyMembers, inner: InnerRequest, reply: Reply) -> bytes:
    """An inner reply as a JSON object."""
    body = _value(reply, members)
    made: dict[str, bytes] = {name: msgspec.json.encode(value) for name, value in members.always.items()}
    if members.id is not None and inner.id is not None:
        made[members.id] = inner.id
    if members.status is not None:
        made[members.status] = b"%d" % reply.status
    if members.headers is not None:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.fields]
        named = [{"name": name, "value": value} for name, value in fields]
        made[members.headers] = msgspec.json.encode(dict(fields) if members.headers_are == "object" else named)
    word = members.success if reply.status < 400 else members.error
    if word is not None and body is not None:
        made[word] = body
    if members.body is not None and body is not None:
        made[members.body] = body
    return b"{%b}" % b",".join(b"%b:%b" % (msgspec.json.encode(name), value) for name, value in made.items())


def shared_fields(names: Sequence[str], replies: Sequence[HeaderFields], body: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of the reply to the batch: each of these as the first inner reply has it that has it, and a type.

    `body`: of the reply to the batch. An ETag is made of it.
    """
    found: list[tuple[bytes, bytes]] = []
    for name in (name.lower().encode() for name in names):
        given = ([each for each in fields if _is_shared(each, name)] for fields in replies)
        first = next(filter(None, given), [])
        found += [(first[0][0], b'W/"%b"' % _digest(body))] if first and name == b"etag" else first
    if any(name.lower() == b"content-type" for name, _ in found):
        return found
    return [(b"Content-Type", b"application/json"), *found]


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).hexdigest().encode()


def _is_shared(field: tuple[bytes, bytes], name: bytes) -> bool:
    if name == b"content-type" and field[1].partition(b";")[0].strip().lower() != b"application/json":
        return False
    return field[0].lower() == name


def nested(path: str, value: bytes) -> bytes:
    """An object with a member at this path: `data.responses` is `{"data":{"responses":…}}`; the value without one."""
    for name in reversed(path.split(".") if path else ()):
        value = b"{%b:%b}" % (msgspec.json.encode(name), value)
    return value


def _value(reply: Reply, members: ReplyMembers) -> bytes | None:
    """The body as a JSON value: as it is, where it is one; as a text, where it is not; None: it is left out."""
    body = reply.body.strip()
    if not body:
        return _EMPTY[members.empty]
    try:
        text = body.decode()
        if members.body_is == "json" and b"json" in (reply.field(b"content-type") or b"json").lower():
            return bytes(_ANY.decode(body))
    except msgspec.DecodeError:
        pass
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return msgspec.json.encode(text)
