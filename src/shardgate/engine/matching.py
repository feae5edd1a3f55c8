"""Which operation a request asks for: its path and method, and a method that overrides it where that is allowed.

Holds: a request is routed by the same method that the application will act on. Where nobody has said whether the
application reads `_method`, a POST in which that names a method of another rule is refused.
"""

import re
from collections.abc import Mapping
from typing import Final

from shardgate.core.errors import MethodNotAllowedError, MethodOverrideError, UnknownOperationError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.plan.key import FORMS, has_readable_body, read_key
from shardgate.core.plan.parameter import only_value
from shardgate.core.routes.route import Route
from shardgate.engine.cluster import IGNORED, Snapshot

_IGNORED: Final = IGNORED.encode()
_OVERRIDES = frozenset({"PUT", "PATCH", "DELETE"})
_NAMED = _OVERRIDES | {"GET"}
_REFUSED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""Methods that some applications take from a POST, and whose replies the gateway would read as those of a POST."""
_USUAL: Final = "_method"
"""The parameter, form field or member that Laravel, Rails, Symfony, Spring and Parse read."""
_UNSAID: Final = re.compile(rb'(?:_|%5[Ff])method["=]')
_WAITED_BYTES_MAX: Final = 16_384
"""A longer body is not held only to look for `_method`."""
_SEARCHED_BYTES_MAX: Final = 262_144
"""In a longer body, which is held for another reason, it is not looked for: the search of 16 MB took 7 ms, and 70 where
its bytes were chosen for that."""


def match(request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
    """The route, and the values of its path's variables. Raises ClientError where there is none."""
    if request.method == "POST":
        return _match_post(request, snapshot)
    if request.fields.method_override is not None:
        _override_by_header(request, *request.fields.method_override, snapshot.method_override_header)
    return snapshot.routes.match(request.method, request.path)


def waits_for_method(request: Request, snapshot: Snapshot) -> bool:
    """Whether the whole body of a POST is waited for only because a method may stand in it that nobody expects."""
    return (
        snapshot.guards_body
        and request.method == "POST"
        and 0 < request.fields.content_length <= _WAITED_BYTES_MAX
        and _may_name(request)
    )


def _match_post(request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
    named = None
    if request.query:
        if snapshot.method_override is not None:
            named = _by_query(request, snapshot, snapshot.method_override)
        elif snapshot.guards_query and "method" in request.query and _UNSAID.search(request.query.encode()):
            _refuse_unsaid(request, snapshot, "parameter", (only_value(request.query, _USUAL) or "").upper())
    if request.fields.method_override is not None:
        _override_by_header(request, *request.fields.method_override, snapshot.method_override_header)
    if named is not None:
        return named
    if request.body:
        if snapshot.method_override_member is not None:
            return _by_member(request, snapshot, snapshot.method_override_member)
        if snapshot.guards_body and len(request.body) <= _SEARCHED_BYTES_MAX and _may_say(request):
            _refuse_unsaid(request, snapshot, "member", _in_body(request, _USUAL))
    return snapshot.routes.match(request.method, request.path)


def _refuse_unsaid(request: Request, snapshot: Snapshot, kind: str, method: str) -> None:
    """Raise MethodOverrideError where a POST names a method that is served by another rule, and no configuration says
    whether the application reads it."""
    if method not in _NAMED and method not in _REFUSED:
        return
    if method in _NAMED:
        route, _ = snapshot.routes.match(request.method, request.path)
        try:
            other, _ = snapshot.routes.match(method, request.path)
        except (MethodNotAllowedError, UnknownOperationError):
            other = None
        if other is not None and route.is_routed_as(other):
            return
    detail = (
        f"the {kind} `{_USUAL}` names the method {method}, and the configuration of the gateway does not say whether"
        " the application reads it"
    )
    raise MethodOverrideError(detail, about={kind: _USUAL, "value": method})


def _may_say(request: Request) -> bool:
    """Whether the body may have the member: to read it costs more than to look for its name."""
    return b"method" in request.body and _UNSAID.search(request.body) is not None and _may_name(request)


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


def _by_member(request: Request, snapshot: Snapshot, member: str) -> tuple[Route, Mapping[str, str]]:
    """`POST /v3/orders/7` with `{"_method": "PATCH"}`, or a form with `_method=patch`: sent on as it came."""
    if not _may_name(request):
        return snapshot.routes.match(request.method, request.path)
    return _as_named(request, snapshot, _in_body(request, member), "member", member)


def _by_query(request: Request, snapshot: Snapshot, parameter: str) -> tuple[Route, Mapping[str, str]] | None:
    """`POST /v3/orders/7?method=PATCH` is a PATCH; it is sent on as it came. None: the query names no method."""
    method = (only_value(request.query, parameter) or "").upper()
    is_method = method in _NAMED or method in _REFUSED
    return _as_named(request, snapshot, method, "parameter", parameter) if is_method else None


def _as_named(
    request: Request, snapshot: Snapshot, method: str, kind: str, name: str
) -> tuple[Route, Mapping[str, str]]:
    """The route of the method that a POST names. A word that is no method names none."""
    if method in _REFUSED:
        detail = f"the {kind} `{name}` names the method {method}, which is not accepted in a POST"
        raise MethodOverrideError(detail, about={kind: name, "value": method})
    if method not in _NAMED:
        return snapshot.routes.match(request.method, request.path)
    request.method = method
    route, variables = snapshot.routes.match(method, request.path)
    if method == "GET" and route.rule is not None and route.rule.only_reads and not route.rule.reads_body:
        # The shards would read the page in the body, and the gateway writes it into the query.
        detail = f"the {kind} `{name}` asks for a list, and the gateway gathers it where it is asked for by GET"
        raise MethodOverrideError(detail, about={kind: name, "value": method})
    return route, variables


def _override_by_header(request: Request, name: bytes, value: bytes, configured: bytes | None) -> None:
    """`X-HTTP-Method-Override: PATCH`, where the configuration names that header; otherwise an application might take
    for a PATCH what was routed as a POST."""
    if configured == _IGNORED:
        return
    if not name:
        raise MethodOverrideError("several header fields name a method, or one stands twice: one is accepted")
    method = value.decode("latin-1").upper()
    if method == request.method:
        return
    if name != configured or request.method != "POST" or method not in _OVERRIDES:
        header, said, sent = name.decode("latin-1"), excerpt(value), request.sent_method.decode("latin-1")
        raise MethodOverrideError(
            f"the header `{header}` names the method {said}, and the request was sent as {sent}",
            about={"header": header, "value": said},
        )
    request.method = method
