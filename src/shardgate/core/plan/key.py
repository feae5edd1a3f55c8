"""Reads the key of a request from the places that its rule names; refuses two different keys.

Holds: a key is read as the application reads it, or the request is refused with 400. Refused are a parameter, header
or JSON member on the way to the key that stands twice or in another spelling (core/twins.py), a body that is not JSON
in UTF-8, and a body that is declared as something else. What is read has bounds (SG1026).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_plus

import msgspec

from shardgate.core.clients.claims import bound_keys, keys_in
from shardgate.core.clients.masking import MASK, is_secret, shown
from shardgate.core.contracts import Locator
from shardgate.core.errors import AmbiguousKeyError, BoundClientError, UnknownKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.json.key_value import key_text, too_long
from shardgate.core.json.search import JsonSearch, refuse_heavy
from shardgate.core.limits import KEY_CHARACTERS_MAX
from shardgate.core.locate import equal_key
from shardgate.core.plan import multipart
from shardgate.core.plan.parameter import only_value
from shardgate.core.twins import is_header_twin, is_twin

KEY_SOURCES = ("path", "query", "header", "body", "form", "basic", "claim", "cookie", "bearer")
"""The places of a request that a key can be read from."""

_ANY_JSON = msgspec.json.Decoder(msgspec.Raw)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([^\s\"';,]*)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LENIENT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]|['/#]|,\s*[}\]]|[{,]\s*[\w$]"
    r"|\b(?:NaN|Infinity|undefined)\b|[:\[,]\s*(?:[+.]|-?0\w|-[IN])"
)
"""What parsers accept that read more than JSON: control characters, comments, names and texts in other quotes, commas
too many, numbers of JavaScript and Python."""
_HIDDEN = ("claim.", "header.", "basic.", "cookie.", "bearer.")
"""Sources whose values are not repeated to the client: credentials may stand there."""
_FORM = b"application/x-www-form-urlencoded"
FORMS = frozenset({_FORM, multipart.TYPE})
"""The media types of forms."""
_UTF_8 = frozenset({b"utf-8", b"utf8", b"us-ascii"})


def read_key(
    key: str | tuple[str, ...], request: Request, variables: Mapping[str, str], chain: Sequence[Locator] = ()
) -> str | None:
    """The key, None where the request has none. Raises AmbiguousKeyError, BoundClientError, TooComplexError.

    `chain`: the locators of the key, which say how keys compare.
    """
    if isinstance(key, str):
        return _read(key, request, variables)
    binding = [source[6:] for source in key if source[6:] in request.binding and source.startswith("claim.")]
    others = [source for source in key if source[6:] not in binding] if binding else key
    if request.body and {"body.", "form."} <= {source[:5] for source in others}:
        # Of the two, the body is what it is declared as.
        other = "body." if _declared_type(request) in FORMS else "form."
        others = [source for source in others if not source.startswith(other)]
    said = [(source, value) for source in others if (value := _read(source, request, variables)) is not None]
    found = _agreed(key, said, chain)
    if not binding:
        return found
    allowed = set.intersection(*[{*bound_keys(request.claims, name)} for name in binding])
    if not allowed:
        raise BoundClientError(f"the claims {' and '.join(binding)} of the token allow no key together")
    if found is None and len(allowed) > 1:
        raise AmbiguousKeyError(f"the claim `{binding[0]}` names several keys; the request must name one of them")
    if found is not None and found not in allowed:
        raise BoundClientError(f"the token does not allow the key `{excerpt(found)}`", about={"key": excerpt(found)})
    return _text(found if found is not None else next(iter(allowed)), binding[0])


def has_readable_body(key: str | tuple[str, ...], request: Request) -> bool:
    """Whether the body is of a media type that the key is read from and, where that is JSON, some parser may read it.

    Raises AmbiguousKeyError where its media type is not clear, or it may be read differently all the same, and
    TooComplexError.
    """
    sources = (key,) if isinstance(key, str) else key
    kinds = {source.partition(".")[0] for source in sources} & {"body", "form"}
    if not kinds or not request.body:
        return True
    kind = _declared_type(request)
    if kind in FORMS:
        return "form" in kinds
    if "body" not in kinds or not (not kind or kind.endswith(b"json") or kind == b"text/plain"):
        return False
    refuse_heavy(request.body)
    try:
        _ANY_JSON.decode(request.body)
    except (ValueError, msgspec.DecodeError):
        return _is_read_by_some(request.body)
    return True


def _is_read_by_some(body: bytes) -> bool:
    """Whether a lenient parser could read a body that is no JSON: it is never taken for one that nobody reads.

    Python's reads NaN and UTF-16, Go's reads texts that are not UTF-8, others read comments.
    """
    text = body.decode("utf-8", "replace")
    if _LENIENT.search(text) is not None:
        return True
    try:
        _ANY_JSON.decode(text)
    except (ValueError, msgspec.DecodeError):
        return False
    return True


def _agreed(key: tuple[str, ...], said: Sequence[tuple[str, str]], chain: Sequence[Locator]) -> str | None:
    # A claim of the token counts only where the request itself names no key.
    found = {value for source, value in said if not source.startswith("claim.")} or {value for _, value in said}
    if len(found) > 1 and len({equal_key(chain, value) for value in found}) > 1:
        named = ", ".join(
            [f"{source} `{shown(source, value)}`" for source, value in said if not source.startswith(_HIDDEN)]
        )
        raise AmbiguousKeyError(f"{' and '.join(key)} name different keys: {named or 'of the token'}")
    # The first one of the sources, where they write one key in two ways.
    return next((value for _, value in said if value in found), None)


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


def _only(pairs: str, name: str, what: str = "query") -> str | None:
    value = only_value(pairs, name, what)
    return None if value is None else _text(value, name)


def _header(request: Request, name: str) -> str | None:
    """A header that crosses to the shard as the only one that an application could take for it."""
    field = name.lower().encode()
    values = request.fields.values
    if field in request.fields.repeated:
        raise AmbiguousKeyError(f"the header `{name}` stands twice: one is accepted", about={"header": name})
    for twin in values:
        if len(twin) == len(field) and is_header_twin(twin, field):
            other = excerpt(twin)
            detail = f"the header `{other}` can be read as `{name}`; only `{name}` is accepted"
            raise AmbiguousKeyError(detail, about={"header": other})
    value = values.get(field)
    if value is None:
        return None
    if any(option.strip().lower() == field for option in values.get(b"connection", b"").split(b",")):
        detail = f"Connection names the header `{name}`, so that the shard would not see it"
        raise AmbiguousKeyError(detail, about={"header": name})
    return value.decode("latin-1")


def _text(value: str, name: str) -> str:
    if len(value) > KEY_CHARACTERS_MAX:
        raise too_long(name)
    if not value.isascii() and _SURROGATE.search(value):
        raise AmbiguousKeyError("the key is not UTF-8")
    return value


def refuse_unless_json(request: Request) -> None:
    """Refuse a body that Content-Type declares as anything but JSON: the application would read another key from it.

    A body without a Content-Type is accepted, and `text/plain`, which a browser's beacon sends.
    """
    kind = _declared_type(request)
    if kind and not kind.endswith(b"json") and kind != b"text/plain":
        raise _other_type(kind, "application/json")


def refuse_unless_form(request: Request) -> None:
    """Refuse a body that is declared as anything but a form, or that is none and is not declared."""
    kind = _declared_type(request)
    if (kind and kind not in FORMS) or (not kind and request.body.startswith(b"{")):
        raise _other_type(kind, "application/x-www-form-urlencoded")


def _declared_type(request: Request) -> bytes:
    """The media type of the body, in lower case. Refuses other charsets than UTF-8, and packed bodies."""
    values = request.fields.values
    declared = values.get(b"content-type", b"").lower()
    for name in (b"content-type", b"content-encoding"):
        if name in request.fields.repeated or any(is_header_twin(other, name) for other in values):
            header = name.decode()
            raise AmbiguousKeyError(f"the header `{header}` stands twice: one is accepted", about={"header": header})
    if not _UTF_8.issuperset(_CHARSET.findall(declared)):
        raise AmbiguousKeyError("the body is declared not to be UTF-8, so that its key cannot be read")
    if values.get(b"content-encoding", b"identity").lower() != b"identity":
        raise AmbiguousKeyError("the body has a Content-Encoding, so that its key cannot be read")
    kind = declared.partition(b";")[0].strip()
    if b"," in kind:
        raise AmbiguousKeyError(
            "`Content-Type` names two media types: one is accepted", about={"header": "Content-Type"}
        )
    return kind


def _other_type(kind: bytes, wanted: str) -> AmbiguousKeyError:
    said = f"is declared as `{excerpt(kind)}`" if kind else "is no form"
    detail = f"the body {said}, and the key is read from `{wanted}`"
    return AmbiguousKeyError(detail, about={"header": "Content-Type"})


def _form(request: Request, name: str) -> str | None:
    if not request.body:
        return None
    refuse_unless_form(request)
    if _declared_type(request) == multipart.TYPE:
        value = multipart.field_of_multipart(request.body, request.fields.values[b"content-type"], name)
        return None if value is None else _text(value, name)
    try:
        text = request.body.decode("ascii")
    except UnicodeDecodeError as error:
        raise AmbiguousKeyError("the form is not URL-encoded") from error
    return _only(text, name, "form")


def _claim(request: Request, name: str) -> str | None:
    """What the token says, where one was verified."""
    keys = bound_keys(request.claims, name) if name in request.binding else keys_in(request.claims, name)
    if len(keys) > 1:
        raise AmbiguousKeyError(f"the claim {name!r} names several keys")
    return _text(keys[0], name) if keys else None


def _cookie(request: Request, name: str) -> str | None:
    """The value of a cookie (RFC 6265 section 4.2.1), as it stands there, without the quotes around it."""
    if b"cookie" in request.fields.repeated:
        raise AmbiguousKeyError("the header `Cookie` stands twice: one is accepted", about={"header": "Cookie"})
    found: str | None = None
    for part in request.fields.values.get(b"cookie", b"").decode("latin-1").split(";"):
        own, _, value = part.strip(" \t").partition("=")
        if own != name:
            if is_twin(own, name):
                detail = f"the cookie `{excerpt(own)}` can be read as `{name}`; only `{name}` is accepted"
                raise AmbiguousKeyError(detail, about={"header": "Cookie"})
        elif found is not None:
            raise AmbiguousKeyError(f"the cookie `{name}` stands twice: one is accepted", about={"header": "Cookie"})
        else:
            found = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return _text(found, name) if found else None


def _bearer(request: Request, name: str) -> str | None:
    """The token of `Authorization: Bearer` (RFC 6750 section 2.1), verified or not."""
    if b"authorization" in request.fields.repeated:
        raise AmbiguousKeyError("the header `Authorization` stands twice", about={"header": "Authorization"})
    scheme, _, token = request.fields.values.get(b"authorization", b"").partition(b" ")
    return _text(token.strip().decode("latin-1"), name) or None if scheme.lower() == b"bearer" else None


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
    refuse_unless_json(request)
    refuse_heavy(request.body)
    try:
        raw = JsonSearch(request.body).find_key(path.split("."))
        return None if raw is None else key_text(raw, path)
    except (ValueError, msgspec.DecodeError) as error:
        raise AmbiguousKeyError("the body is not JSON in UTF-8, so that its key cannot be read") from error


_READERS = {"form": _form, "basic": _basic, "claim": _claim, "cookie": _cookie, "bearer": _bearer}
