"""Requests in the body of a request: read as the rule `batch` says, and their replies written in their order.

Holds: an inner request that cannot be read is refused in its place; the others are not. What it sends on of the batch
is who asks (`Authorization`, cookies, languages): no condition, no range, nothing that describes the batch's own body.
Never: sends or plans one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

import msgspec

from shardgate.core.body.items import open_items
from shardgate.core.body.reading import read_member, read_object
from shardgate.core.errors import BatchError, ClientError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.wire.fields import HOP_BY_HOP, OURS, TOKEN
from shardgate.core.wire.request_fields import CONDITIONS, METHOD_OVERRIDES

_METHOD = re.compile(r"[A-Z]{1,20}")
_NAME = re.compile(TOKEN)
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = "".join(map(chr, range(0x21, 0x7F)))
_TEXT = msgspec.json.Decoder(str)
_TEXTS = msgspec.json.Decoder(dict[str, str])
_ANY = msgspec.json.Decoder(msgspec.Raw)
# Of the batch itself: they say nothing of what is in it.
_NOT_INNER = CONDITIONS | HOP_BY_HOP | OURS | {name.encode() for name in METHOD_OVERRIDES}
_NOT_INNER |= {b"content-encoding", b"content-type", b"content-language", b"content-location", b"idempotency-key"}
_NEVER_GIVEN = HOP_BY_HOP | OURS | {b"content-encoding"}
_KEY = b"idempotency-key"

HeaderFields = Sequence[tuple[bytes, bytes]]
"""Names and values."""


class RequestMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of an inner request."""

    method: str = "method"
    """The method, in capitals or not."""
    path: str = "path"
    """The path, and the query."""
    body: str | None = "body"
    """The body, a JSON value; null: there is none."""
    headers: str | None = None
    """An object of header fields, which count before those of the batch; null: there is none."""
    id: str | None = None
    """What the reply repeats; null: there is none."""


class ReplyMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of an inner reply; null: there is no such member."""

    id: str | None = None
    """The `id` of the request, where it has one."""
    status: str | None = None
    """The status."""
    headers: str | None = None
    """An object of the header fields."""
    body: str | None = None
    """The body."""
    success: str | None = None
    """The body, where the status is below 400."""
    error: str | None = None
    """The body, where the status is 400 or more."""
    always: Mapping[str, str | int | bool | None] = msgspec.field(default_factory=dict)
    """Members that are always the same: `{jsonrpc: "2.0"}`."""


class InnerRequest(msgspec.Struct, frozen=True):
    """One request of a batch."""

    method: str = ""
    target: str = ""
    fields: tuple[tuple[bytes, bytes], ...] = ()
    """The fields that it gives itself."""
    body: bytes | None = None
    id: bytes | None = None
    """A JSON value, as it stands there."""
    refusal: ClientError | None = None
    """Why it cannot be read."""


def read_inner(
    request: Request, path: str, members: RequestMembers, base: str, refuse: Sequence[str], most: int
) -> list[InnerRequest]:
    """The requests in a body. `path`: the member with the list; empty: the body is the list.

    Raises BatchError where there is no list, AmbiguousKeyError, TooComplexError.
    """
    body = request.body
    document = read_object(body) if path else None
    if document is not None:
        _refuse_members(document, refuse)
    items = open_items(body, path, most)
    if items == "longer":
        raise TooComplexError(f"a batch has at most {most} requests")
    if items is None:
        where = f"the member `{path}`" if path else "the body"
        raise BatchError(f"{where} is no list of requests", about={"member": path} if path else {})
    return [_read(bytes(item), members, base, refuse) for item in items.found.raw]


def _read(text: bytes, members: RequestMembers, base: str, refuse: Sequence[str]) -> InnerRequest:
    own_id: bytes | None = None
    try:
        document = read_object(text)
        if document is None:
            raise BatchError("a request of the batch is no object")
        own_id = read_member(document, members.id) if members.id else None
        _refuse_members(document, refuse)
        method = _text(read_member(document, members.method), members.method).upper()
        if not _METHOD.fullmatch(method):
            raise BatchError(f"`{members.method}` is no method", about={"member": members.method})
        target = quote(_text(read_member(document, members.path), members.path), safe=_TARGET)
        raw = read_member(document, members.body) if members.body else None
        fields = _fields(read_member(document, members.headers), members.headers) if members.headers else ()
        target = base + target if target.startswith("/") else f"{base}/{target}"
        return InnerRequest(method, target, fields, _body(raw, fields), own_id)
    except ClientError as error:
        return InnerRequest(id=own_id, refusal=error)


def _refuse_members(document: JsonObject, refuse: Sequence[str]) -> None:
    """Refuse what the gateway cannot do: all or nothing, an order by dependencies. Raises BatchError."""
    for name in refuse:
        raw = read_member(document, name)
        if raw is not None and raw not in {b"null", b"false", b"[]", b'""'}:
            raise BatchError(f"the member `{name}` is not accepted: each request is done alone", about={"member": name})


def _text(raw: bytes | None, name: str) -> str:
    try:
        if raw is not None:
            return _TEXT.decode(raw)
    except msgspec.DecodeError:
        pass
    raise BatchError(f"a request of the batch has no text `{name}`", about={"member": name})


def _fields(raw: bytes | None, name: str) -> tuple[tuple[bytes, bytes], ...]:
    """The header fields that an inner request gives. Raises BatchError."""
    if raw is None or raw == b"null":
        return ()
    try:
        given = [(each.encode("ascii"), value.encode("latin-1")) for each, value in _TEXTS.decode(raw).items()]
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BatchError(f"`{name}` is no object of header fields", about={"member": name}) from None
    seen: set[bytes] = set()
    for each, value in given:
        lower = each.lower().replace(b"_", b"-")
        if not _NAME.fullmatch(each) or not _VALUE.fullmatch(value) or lower in _NEVER_GIVEN or lower in seen:
            shown = excerpt(each)
            raise BatchError(f"the header `{shown}` is not accepted in a batch", about={"header": shown})
        seen.add(lower)
    return tuple(given)


def _body(raw: bytes | None, fields: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The body as it is sent: a text that is declared to be no JSON is sent as that text."""
    kind = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    if raw is not None and raw.startswith(b'"') and kind and b"json" not in kind.lower():
        return _TEXT.decode(raw).encode()
    return raw


def inner_head(outer: Request, inner: InnerRequest, request_id: bytes, number: int) -> bytes:
    """The head of an inner request, as a client would send it: `number` counts those of the batch, from 0.

    Its idempotency key is the batch's with its number, so that a batch that is sent again does nothing twice.
    """
    given = {name.lower().replace(b"_", b"-") for name, _ in inner.fields}
    lines = [b"Host: %b\r\n" % outer.fields.host, b"X-Request-Id: %b.%d\r\n" % (request_id[:120], number)]
    lines += [line for line in _lines(outer.fields.end_to_end) if _name_of(line) not in _NOT_INNER | given]
    lines += [b"%b: %b\r\n" % field for field in inner.fields]
    if (key := outer.fields.values.get(_KEY)) is not None and _KEY not in given:
        lines.append(b"Idempotency-Key: %b\r\n" % _numbered(key, number))
    if inner.body is not None:
        lines.append(b"Content-Length: %d\r\n" % len(inner.body))
        if b"content-type" not in given:
            lines.append(b"Content-Type: application/json\r\n")
    elif inner.method in {"POST", "PUT", "PATCH"}:
        lines.append(b"Content-Length: 0\r\n")
    return b"%b %b HTTP/1.1\r\n%b" % (inner.method.encode(), inner.target.encode(), b"".join(lines))


def _numbered(key: bytes, number: int) -> bytes:
    """`"key"` → `"key.3"`: a structured text stays one."""
    return b'%b.%d"' % (key[:-1], number) if key.endswith(b'"') and len(key) > 1 else b"%b.%d" % (key, number)


def _lines(end_to_end: bytes) -> Iterator[bytes]:
    return (line + b"\r\n" for line in end_to_end.split(b"\r\n") if line)


def _name_of(line: bytes) -> bytes:
    return line.partition(b":")[0].lower().replace(b"_", b"-")


def written(members: ReplyMembers, inner: InnerRequest, reply: Reply) -> bytes:
    """An inner reply as a JSON object."""
    body = _value(reply)
    made: dict[str, bytes] = {name: msgspec.json.encode(value) for name, value in members.always.items()}
    if members.id is not None and inner.id is not None:
        made[members.id] = inner.id
    if members.status is not None:
        made[members.status] = b"%d" % reply.status
    if members.headers is not None:
        fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.fields}
        made[members.headers] = msgspec.json.encode(fields)
    word = members.success if reply.status < 400 else members.error
    if word is not None:
        made[word] = body
    if members.body is not None:
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


def _value(reply: Reply) -> bytes:
    """The body as a JSON value: as it is, where it is one; as a text, where it is not; null, where it is empty."""
    body = reply.body.strip()
    if not body:
        return b"null"
    try:
        text = body.decode()
        if b"json" in (reply.field(b"content-type") or b"json").lower():
            return bytes(_ANY.decode(body))
    except msgspec.DecodeError:
        pass
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return msgspec.json.encode(text)
