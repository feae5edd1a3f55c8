"""Reads the key of a request from the places that its rule names; refuses two different keys.

Holds: a key is read as the application reads it, or the request is refused with 400. Refused are a parameter that
stands twice, a JSON member that stands twice at any depth, a body that is not JSON in UTF-8, and a body that is
declared as something else.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from shardgate.core.clients.claims import keys_in
from shardgate.core.clients.masking import MASK, is_secret, shown
from shardgate.core.errors import AmbiguousKeyError, UnknownKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request

KEY_SOURCES = ("path", "query", "header", "body", "form", "basic", "claim")
"""The places of a request that a key can be read from."""

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([^\s\"';,]*)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_HIDDEN = ("claim.", "header.", "basic.")
"""Sources whose values are not repeated to the client: credentials may stand there."""
_UTF_8 = frozenset({b"utf-8", b"utf8", b"us-ascii"})


def read_key(key: str | tuple[str, ...], request: Request, variables: Mapping[str, str]) -> str | None:
    """The key, None where the request has none. Raises AmbiguousKeyError."""
    if isinstance(key, str):
        return _read(key, request, variables)
    said = [(source, value) for source in key if (value := _read(source, request, variables)) is not None]
    # A claim of the token counts only where the request itself names no key.
    found = {value for source, value in said if not source.startswith("claim.")} or {value for _, value in said}
    if len(found) > 1:
        named = ", ".join(
            [f"{source} `{shown(source, value)}`" for source, value in said if not source.startswith(_HIDDEN)]
        )
        raise AmbiguousKeyError(f"{' and '.join(key)} name different keys: {named or 'of the token'}")
    return next(iter(found), None)


def unknown_key(key: str | None, sources: str | tuple[str, ...] = ()) -> UnknownKeyError:
    """The refusal of a key that no shard owns. The key is hidden if one of its sources looks like a secret."""
    named = (sources,) if isinstance(sources, str) else sources
    said = MASK if any(is_secret(source) for source in named) else excerpt(key or "")
    return UnknownKeyError(f"no shard owns the key `{said}`", about={"key": said})


def _read(source: str, request: Request, variables: Mapping[str, str]) -> str | None:
    kind, _, name = source.partition(".")
    if kind == "path":
        return variables.get(name)
    if kind == "query":
        return _only(request.query, name)
    if kind == "header":
        return _header(request, name)
    return _READERS.get(kind, _member)(request, name)


def _only(pairs: str, name: str) -> str | None:
    # What is not UTF-8 becomes surrogates, which no key may have.
    decoded = parse_qsl(pairs, keep_blank_values=True, errors="surrogateescape")
    values = [value for key, value in decoded if key == name]
    if len(values) > 1:
        both = " and ".join([f"`{shown(name, value)}`" for value in values[:2]])
        detail = f"the parameter `{excerpt(name)}` stands twice, as {both}: one is accepted"
        raise AmbiguousKeyError(detail, about={"parameter": name})
    return _text(values[0]) if values else None


def _header(request: Request, name: str) -> str | None:
    """A header that crosses to the shard as the only one that an application could take for it."""
    field = name.lower().encode()
    values = request.fields.values
    # Many applications fold `_` into `-`.
    if field in request.fields.repeated or any(
        twin != field and twin.replace(b"_", b"-") == field.replace(b"_", b"-") for twin in values
    ):
        raise AmbiguousKeyError(f"the header `{name}` stands twice: one is accepted", about={"header": name})
    value = values.get(field)
    if value is None:
        return None
    if any(option.strip().lower() == field for option in values.get(b"connection", b"").split(b",")):
        detail = f"Connection names the header `{name}`, so that the shard would not see it"
        raise AmbiguousKeyError(detail, about={"header": name})
    return value.decode("latin-1")


def _text(value: str) -> str:
    if not value.isascii() and _SURROGATE.search(value):
        raise AmbiguousKeyError("the key is not UTF-8")
    return value


def refuse_other_body(request: Request, *others: bytes) -> None:
    """Refuse a body that Content-Type declares as something else: the application would read another key from it."""
    values = request.fields.values
    declared = values.get(b"content-type", b"").lower()
    if any(other in declared for other in others):
        raise AmbiguousKeyError("the body is declared to be something else than what the key is read from")
    if not _UTF_8.issuperset(_CHARSET.findall(declared)):
        raise AmbiguousKeyError("the body is declared not to be UTF-8, so that its key cannot be read")
    if values.get(b"content-encoding", b"identity").lower() != b"identity":
        raise AmbiguousKeyError("the body has a Content-Encoding, so that its key cannot be read")


def _form(request: Request, name: str) -> str | None:
    if request.body:
        refuse_other_body(request, b"multipart/")
    try:
        text = request.body.decode("ascii")
    except UnicodeDecodeError as error:
        raise AmbiguousKeyError("the form is not URL-encoded") from error
    return _only(text, name)


def _claim(request: Request, name: str) -> str | None:
    """What the token says, where one was verified."""
    keys = keys_in(request.claims, name)
    if len(keys) > 1:
        raise AmbiguousKeyError(f"the claim {name!r} names several keys")
    return keys[0] if keys else None


def _basic(request: Request, name: str) -> str | None:
    """The user of HTTP Basic authentication (RFC 7617), as it stands there; or a client's id, which is form-encoded
    (RFC 6749 section 2.3.1)."""
    if b"authorization" in request.fields.repeated:
        raise AmbiguousKeyError("the header `Authorization` stands twice", about={"header": "Authorization"})
    scheme, _, credentials = request.fields.values.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
        return (unquote_plus(user, errors="strict") if name == "client_id" else user) or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _member(request: Request, path: str) -> str | None:
    """A member of a JSON body, by its dotted path; a number is its decimal text."""
    if not request.body:
        return None
    refuse_other_body(request, b"multipart/", b"x-www-form-urlencoded")
    try:
        value = json.loads(request.body.decode(), object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise AmbiguousKeyError("the body is not JSON in UTF-8, so that its key cannot be read") from error
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        # Go and .NET find a member in whatever case it is written.
        if any(other != name and other.casefold() == name.casefold() for other in value):
            detail = f"the JSON member `{name}` is also written in another case"
            raise AmbiguousKeyError(detail, about={"member": path})
        value = value.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _text(str(value))


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twin = ""
        for name, _ in pairs:
            twin = name if name in seen else twin
            seen.add(name)
        twin = excerpt(twin)
        raise AmbiguousKeyError(f"the JSON member `{twin}` stands twice: one is accepted", about={"member": twin})
    return members


_READERS = {"form": _form, "basic": _basic, "claim": _claim}
