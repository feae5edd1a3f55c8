"""Which operation a request asks for: its path and method, and a method that overrides it where that is allowed.

Holds: a request is routed by the same method that the application will act on. A POST that names two methods, wherever
they stand, is refused. Where nobody has said whether the application reads `_method`, a POST in which that names a
method of another rule is refused.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from shardgate.core.errors import MethodNotAllowedError, MethodOverrideError, UnknownOperationError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.limits import SMALL_BODY_BYTES_MAX
from shardgate.core.plan.key import FORMS, has_readable_body, read_key
from shardgate.core.plan.parameter import only_value
from shardgate.core.routes.route import Route
from shardgate.engine.cluster import IGNORED, Snapshot

_IGNORED: Final = IGNORED.encode()
_OVERRIDES = frozenset({"PUT", "PATCH", "DELETE"})
_NAMED = _OVERRIDES | {"GET"}
_REFUSED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""Methods that some applications take from a POST, and whose replies the gateway would read as those of a POST."""
_METHODS = _NAMED | _REFUSED | {"POST"}
_Named: TypeAlias = tuple[str, str, str]
"""What names a method, by which name, and the method."""
_USUAL: Final = "_method"
"""The parameter, form field or member that Laravel, Rails, Symfony, Spring and Parse read."""
_UNSAID: Final = re.compile(
    rb"(?:_|\.|%5[Ff]|%2[Ee]|\\u005[Ff])"  # PHP reads `.method` as `_method`
    + b"".join([rb"(?:%c|%%%02x|%%%02X|\\u00%02x|\\u00%02X)" % (5 * (each,)) for each in b"method"])
    + rb"""(?:["'=;\s[%\\]|$)"""
)
"""As a query or a form may encode it, and JSON escape it. Whoever reads it says whether it is one."""
_SEARCHED_BYTES_MAX: Final = 262_144
"""In a longer body, which is held for another reason, it is not looked for: the search of 16 MB took 7 ms, and 700 with
bytes that were chosen for it."""


def match(request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
    """The route, and the values of its path's variables. Raises ClientError where there is none."""
    if request.sent_method == b"POST":
        return _match_post(request, snapshot)
    if request.fields.method_override is not None:
        _by_header(request, snapshot, None, *request.fields.method_override)
    return snapshot.routes.match(request.method, request.path)


def may_name_method(request: Request, snapshot: Snapshot) -> bool:
    """Whether a method may stand in a body that still arrives, where nobody expects one. A body that is known to be
    long is not looked at: it would be held for that alone."""
    fields = request.fields
    return (
        snapshot.guards_body
        and request.sent_method == b"POST"
        and (fields.chunked or 0 < fields.content_length <= SMALL_BODY_BYTES_MAX)
        and _may_name(request)
    )


def guard_arriving(request: Request, snapshot: Snapshot, body: bytes) -> None:
    """Look for a method in a body that has come, and is sent on all the same as one that arrives. Raises ClientError
    as `match` does."""
    request.body = body
    try:
        match(request, snapshot)
    finally:
        request.body = b""


def _match_post(request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
    """Query, body and header may each name a method; what they name is one. A request may come twice: before its body,
    and with it."""
    named: _Named | None = None
    request.method = "POST"
    if request.query and (parameter := snapshot.method_override) is not None:
        named = _override(named, "parameter", parameter, only_value(request.query, parameter))
    if request.body and (member := snapshot.method_override_member) is not None and _may_name(request):
        named = _override(named, "member", member, _in_body(request, member))
    if request.fields.method_override is not None:
        named = _by_header(request, snapshot, named, *request.fields.method_override)
    if named is not None:
        _take(request, snapshot, named)
    if snapshot.guards_query and request.query and _may_say(request.query.encode(), b"%"):
        named = _guard(request, snapshot, named, "parameter", only_value(request.query, _USUAL))
    if snapshot.guards_body and request.body and _body_may_say(request):
        _guard(request, snapshot, named, "member", _in_body(request, _USUAL))
    return snapshot.routes.match(request.method, request.path)


def _override(named: _Named | None, kind: str, name: str, said: str | None) -> _Named | None:
    """`POST /v3/orders/7?method=PATCH` is a PATCH, and so is one with `{"_method": "patch"}`, with such a field of a
    form, or such a header. A word that is no method names none.

    `named`: what another place names. Raises MethodOverrideError where that is another method.
    """
    method = (said or "").upper()
    if method not in _METHODS:
        return named
    if named is not None and method != named[2]:
        before, both = f"the {named[0]} `{named[1]}`", f"the methods {named[2]} and {method}"
        detail = f"{before} and the {kind} `{name}` name {both}: one is accepted"
        raise MethodOverrideError(detail, about={kind: name, "value": method})
    return named or (kind, name, method)


def _take(request: Request, snapshot: Snapshot, named: _Named) -> None:
    """The request is one of that method; it is sent on as it came. Raises MethodOverrideError."""
    kind, name, method = named
    if method in _REFUSED:
        detail = f"the {kind} `{name}` names the method {method}, which is not accepted in a POST"
        raise MethodOverrideError(detail, about={kind: name, "value": method})
    request.method = method
    if method != "GET":
        return
    route, _ = snapshot.routes.match(method, request.path)
    if route.rule is not None and route.rule.only_reads and not route.rule.reads_body:
        # The shards would read the page in the body, and the gateway writes it into the query.
        detail = f"the {kind} `{name}` asks for a list, and the gateway gathers it where it is asked for by GET"
        raise MethodOverrideError(detail, about={kind: name, "value": method})


def _guard(request: Request, snapshot: Snapshot, named: _Named | None, kind: str, said: str | None) -> _Named | None:
    """A method that no configuration says whether the application reads. Raises MethodOverrideError where it is served
    by another rule, or is another one than is named already."""
    found = _override(named, kind, _USUAL, said)
    if found is named or found is None:
        return named
    method = found[2]
    if method != "POST" and not _is_served_alike(request, snapshot, method):
        detail = (
            f"the {kind} `{_USUAL}` names the method {method}, and the configuration of the gateway does not say"
            " whether the application reads it"
        )
        raise MethodOverrideError(detail, about={kind: _USUAL, "value": method})
    return found


def _is_served_alike(request: Request, snapshot: Snapshot, method: str) -> bool:
    """Whether a request of this method would be served at the same shards."""
    if method in _REFUSED:
        return False
    route, _ = snapshot.routes.match(request.method, request.path)
    try:
        other, _ = snapshot.routes.match(method, request.path)
    except (MethodNotAllowedError, UnknownOperationError):
        return False
    return route.is_routed_as(other)


def _may_say(text: bytes, escape: bytes) -> bool:
    """Whether `_method` may stand there: to read it costs more than to look for it."""
    return (b"method" in text or escape in text) and _UNSAID.search(text) is not None


def _body_may_say(request: Request) -> bool:
    if len(request.body) > _SEARCHED_BYTES_MAX or not _may_name(request):
        return False
    return _may_say(request.body, b"%" if _declared(request) in FORMS else b"\\u00")


def _may_name(request: Request) -> bool:
    """Whether the body is of a type in which applications read a method."""
    kind = _declared(request)
    return not kind or kind in FORMS or kind.endswith(b"json") or kind == b"text/plain"


def _declared(request: Request) -> bytes:
    return request.fields.values.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _in_body(request: Request, member: str) -> str:
    """The method in a member, in capitals; empty: there is none. What no parser reads names no method."""
    place = f"{'form' if _declared(request) in FORMS else 'body'}.{member}"
    return (read_key(place, request, {}) or "").upper() if has_readable_body(place, request) else ""


def _by_header(request: Request, snapshot: Snapshot, named: _Named | None, name: bytes, value: bytes) -> _Named | None:
    """`X-HTTP-Method-Override: PATCH`, where the configuration names that header; otherwise an application might take
    for a PATCH what was routed as a POST."""
    configured = snapshot.method_override_header
    if configured == _IGNORED:
        return named
    if not name:
        raise MethodOverrideError("several header fields name a method, or one stands twice: one is accepted")
    header, method = name.decode("latin-1"), value.decode("latin-1").upper()
    found = _override(named, "header", header, method)
    expected = request.method if named is None else named[2]
    is_accepted = name == configured and named is None and request.method == "POST" and method in _OVERRIDES
    if method != expected and not is_accepted:
        said, sent = excerpt(value), request.sent_method.decode("latin-1")
        raise MethodOverrideError(
            f"the header `{header}` names the method {said}, and the request was sent as {sent}",
            about={"header": header, "value": said},
        )
    return found
