"""Which operation a request asks for: its path and method, and a method that overrides it where that is allowed.

Holds: a request is routed by the same method that the application will act on.
"""

from collections.abc import Mapping

from shardgate.core.errors import MethodOverrideError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.plan.key import FORMS, has_readable_body, read_key
from shardgate.core.plan.parameter import only_value
from shardgate.core.routes.route import Route
from shardgate.engine.cluster import Snapshot

_OVERRIDES = frozenset({"PUT", "PATCH", "DELETE"})
_NAMED = _OVERRIDES | {"GET"}
_REFUSED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""Methods that some applications take from a POST, and whose replies the gateway would read as those of a POST."""
IGNORED = b"ignored"
"""Stands for a header where the application reads none."""


def match(request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
    """The route, and the values of its path's variables. Raises ClientError where there is none."""
    if snapshot.method_override is not None and request.method == "POST" and request.query:
        named = _by_query(request, snapshot, snapshot.method_override)
        if named is not None:
            if request.fields.method_override is not None and snapshot.method_override_header != IGNORED:
                _override_by_header(request, *request.fields.method_override, snapshot.method_override_header)
            return named
    if request.fields.method_override is not None and snapshot.method_override_header != IGNORED:
        _override_by_header(request, *request.fields.method_override, snapshot.method_override_header)
    if snapshot.method_override_member is not None and request.method == "POST" and request.body:
        return _by_member(request, snapshot, snapshot.method_override_member)
    return snapshot.routes.match(request.method, request.path)


def _by_member(request: Request, snapshot: Snapshot, member: str) -> tuple[Route, Mapping[str, str]]:
    """`POST /v3/orders/7` with `{"_method": "PATCH"}`, or a form with `_method=patch`: sent on as it came."""
    declared = request.fields.values.get(b"content-type", b"").partition(b";")[0].strip().lower()
    kind = "form" if declared in FORMS else "body"
    if kind == "body" and declared and not declared.endswith(b"json") and declared != b"text/plain":
        return snapshot.routes.match(request.method, request.path)
    place = f"{kind}.{member}"
    # What no parser reads names no method.
    method = (read_key(place, request, {}) or "").upper() if has_readable_body(place, request) else ""
    return _as_named(request, snapshot, method, "member", member)


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
