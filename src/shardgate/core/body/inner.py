"""Requests in the body of a request: read as the rule `batch` says, and written as a client would.

Holds: an inner request that cannot be read is refused in its place; the others are not. A member that no word of the
rule names is refused: the application may do by it what the gateway would not. What is sent on of the batch is who asks
(`Authorization`, cookies, languages): no condition, no range, nothing that describes the batch's own body.
Never: sends or plans one.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from shardgate.core.body.items import open_items
from shardgate.core.body.reading import read_member, read_object
from shardgate.core.errors import BatchError, ClientError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.json.object import JsonObject
from shardgate.core.wire.fields import HOP_BY_HOP, OURS, TOKEN
from shardgate.core.wire.request_fields import CONDITIONS, METHOD_OVERRIDES

_METHOD = re.compile(r"[A-Z]{1,20}")
_NAME = re.compile(TOKEN)
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = "".join(map(chr, range(0x21, 0x7F)))
_TEXT = msgspec.json.Decoder(str)
_TEXTS = msgspec.json.Decoder(dict[str, str])
_PARAMETERS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_NOTHING: Final = frozenset({b"null", b"false", b"[]", b'""', b"{}"})
# Of the batch itself: they say nothing of what is in it.
_NOT_INNER = CONDITIONS | HOP_BY_HOP | OURS | {name.encode() for name in METHOD_OVERRIDES}
_NOT_INNER |= {b"content-encoding", b"content-type", b"content-language", b"content-location", b"idempotency-key"}
_NEVER_GIVEN = HOP_BY_HOP | OURS | {b"content-encoding"}
_KEY = b"idempotency-key"


class RequestMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of an inner request."""

    method: str = "method"
    """The method, in capitals or not."""
    method_default: str | None = None
    """The method of a request that names none: `GET`; null: it is refused."""
    path: str = "path"
    """The path, and the query; or the address of this host with them."""
    query: str | None = None
    """An object of parameters, which are put behind the path, each value of a list by itself: `{"limit": 2,
    "tag": ["a", "b"]}`; null: there is none."""
    body: str | None = "body"
    """The body; null: there is none. Where it is `null`, the request has no body."""
    body_is: Literal["json", "text", "form"] = "json"
    """How the body stands there: as a JSON value; as a `text`, which holds the JSON; or as a text that is a `form`,
    `name=Ana&city=Bern`."""
    headers: str | None = None
    """An object of header fields, which count before those of the batch; null: there is none."""
    id: str | None = None
    """What the reply repeats; null: there is none."""

    @property
    def named(self) -> list[str]:
        """The members that mean something."""
        members = (self.method, self.path, self.query, self.body, self.headers, self.id)
        return [name for name in members if name is not None]


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
    request: Request,
    path: str,
    members: RequestMembers,
    base: str,
    refuse: Sequence[str],
    most: int,
    passes: Collection[str] = (),
) -> list[InnerRequest]:
    """The requests in a body. `path`: the member with the list; empty: the body is the list. `passes`: members that
    change nothing.

    Raises BatchError where there is no list, AmbiguousKeyError, TooComplexError.
    """
    body = request.body
    document = read_object(body) if path else None
    if document is not None:
        _refuse_members(document, refuse)
        _refuse_unnamed(document, (*refuse, path), passes)
    items = open_items(body, path, most)
    if items == "longer":
        raise TooComplexError(f"a batch has at most {most} requests")
    if items is None:
        where = f"the member `{path}`" if path else "the body"
        raise BatchError(f"{where} is no list of requests", about={"member": path} if path else {})
    host = request.fields.host.decode("latin-1").lower()
    return [_read(bytes(item), members, base, refuse, passes, host) for item in items.found.raw]


def _read(
    text: bytes, members: RequestMembers, base: str, refuse: Sequence[str], passes: Collection[str], host: str
) -> InnerRequest:
    own_id: bytes | None = None
    try:
        document = read_object(text)
        if document is None:
            raise BatchError("a request of the batch is no object")
        own_id = read_member(document, members.id) if members.id else None
        _refuse_members(document, refuse)
        raw = read_member(document, members.method)
        default = members.method_default if raw in {None, b"null"} else None
        method = (default or _text(raw, members.method)).upper()
        if not _METHOD.fullmatch(method):
            raise BatchError(f"`{members.method}` is no method", about={"member": members.method})
        target = _target(_text(read_member(document, members.path), members.path), base, host, members.path)
        if members.query:
            target = _with_query(target, read_member(document, members.query), members.query)
        raw = read_member(document, members.body) if members.body else None
        fields = _fields(read_member(document, members.headers), members.headers) if members.headers else ()
        if members.body_is == "form" and raw not in {None, b"null"} and b"content-type" not in _names(fields):
            fields = (*fields, (b"Content-Type", b"application/x-www-form-urlencoded"))
        _refuse_unnamed(document, (*refuse, *members.named), passes)
        return InnerRequest(method, target, fields, _body(raw, fields, members), own_id)
    except ClientError as error:
        return InnerRequest(id=own_id, refusal=error)


def _refuse_members(document: JsonObject, refuse: Sequence[str]) -> None:
    """Refuse what the gateway cannot do: all or nothing, an order by dependencies. Raises BatchError."""
    for name in refuse:
        raw = read_member(document, name)
        if raw is not None and raw not in _NOTHING:
            raise BatchError(f"the member `{name}` is not accepted: each request is done alone", about={"member": name})


def _refuse_unnamed(document: JsonObject, named: Sequence[str], passes: Collection[str]) -> None:
    """Raises BatchError for a member that is neither named nor passes, and has a value, at each level that is named."""
    levels: dict[str, set[str]] = {"": set()}
    for path in named:
        parent = ""
        for name in path.split("."):
            levels.setdefault(parent, set()).add(name)
            parent = f"{parent}.{name}".removeprefix(".")
    for parent, names in levels.items():
        for name, (start, end) in (document.level(parent) or {}).items():
            member = f"{parent}.{name}".removeprefix(".")
            if name in names or member in passes or document.body[start:end] in _NOTHING:
                continue
            raise BatchError(unnamed("member", member), about={"member": excerpt(member)})


def unnamed(what: str, name: str) -> str:
    """Why a member or a parameter is refused."""
    return f"the {what} `{excerpt(name)}` is not accepted: the gateway cannot tell what the application does by it"


def _target(text: str, base: str, host: str, name: str) -> str:
    """The path and query of an inner request. Raises BatchError for an address of another host."""
    if text[:7].lower() == "http://" or text[:8].lower() == "https://":
        url = urlsplit(text)
        if url.netloc.lower() != host:
            raise BatchError(f"`{name}` is an address of another host", about={"member": name})
        base, text = "", f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    target = quote(text, safe=_TARGET)
    return base + target if target.startswith("/") else f"{base}/{target}"


def _with_query(target: str, raw: bytes | None, name: str) -> str:
    """The target with these parameters behind its own. Raises BatchError."""
    if raw is None or raw == b"null":
        return target
    try:
        given = _PARAMETERS.decode(raw)
        pairs = [
            (each, _plain(value))
            for each, values in given.items()
            for value in (values if isinstance(values, list) else [values])
        ]
    except (msgspec.DecodeError, TypeError, ArithmeticError):
        raise BatchError(f"`{name}` is no object of parameters", about={"member": name}) from None
    if not pairs:
        return target
    return f"{target}{'&' if '?' in target else '?'}{urlencode(pairs)}"


def _plain(value: object) -> str:
    """A parameter's value as a text. Raises TypeError for an object, a list, or null: applications differ in them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Decimal):
        return str(value)
    raise TypeError


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


def _names(fields: Sequence[tuple[bytes, bytes]]) -> set[bytes]:
    return {name.lower().replace(b"_", b"-") for name, _ in fields}


def _body(raw: bytes | None, fields: Sequence[tuple[bytes, bytes]], members: RequestMembers) -> bytes | None:
    """The body as it is sent: a text that is declared to be no JSON is sent as that text. Raises BatchError."""
    if raw is None or raw == b"null":
        return None
    if members.body_is != "json":
        return _text(raw, members.body or "").encode()
    kind = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    if raw.startswith(b'"') and kind and b"json" not in kind.lower():
        return _TEXT.decode(raw).encode()
    return raw


def inner_head(outer: Request, inner: InnerRequest, request_id: bytes, number: int) -> bytes:
    """The head of an inner request, as a client would send it: `number` counts those of the batch, from 0.

    Its idempotency key is the batch's with its number, so that a batch that is sent again does nothing twice.
    """
    given = _names(inner.fields)
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
