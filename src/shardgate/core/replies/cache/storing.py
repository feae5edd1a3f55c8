"""Whether a reply is kept (RFC 9111 section 3), and whether a request has anything to do with a cache at all.

Stricter than the RFC where a mistake would show one client's data to another: a reply to a request with credentials,
cookies included, is kept only where it says `public` or `s-maxage`, and only such a reply is given to others with any.
"""

from collections.abc import Collection
from typing import Final

from shardgate.core.http import Request
from shardgate.core.replies.cache.directives import Directives
from shardgate.core.replies.cache.freshness import lifetime_s
from shardgate.core.replies.cache.head import StoredHead
from shardgate.core.replies.cache.keys import has_credentials

# Those of RFC 9110 section 15.1 that may be kept, and that mean the same for everybody who asks.
_STATUSES: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 410})
# What asks for a part, or for something that depends on what the client has or does.
_BYPASSING: Final = (b"range", b"if-range", b"if-match", b"if-unmodified-since")


def why_bypassed(request: Request) -> str | None:
    """Why the request is neither answered from what is kept, nor its reply kept; None: it may be."""
    if request.sent_method not in {b"GET", b"HEAD"} or request.method not in {"GET", "HEAD"}:
        return "method"
    if request.fields.has_body or request.fields.upgrade:
        return "body"
    for name in _BYPASSING:
        if name in request.fields.values:
            return name.decode()
    return None


def why_not_kept(request: Request, head: StoredHead, not_here: Collection[int], received_at: float) -> str | None:
    """Why the reply to a request is not kept; None: it is. `not_here`: statuses that say nothing of the thing."""
    said, asked, fresh_s = head.directives, request_directives(request), lifetime_s(head, received_at)
    has_validator = head.only(b"etag") is not None or head.only(b"last-modified") is not None
    reasons = {
        "method": request.sent_method != b"GET",
        "status": head.status not in _STATUSES or head.status in not_here,
        "no-store": said.has(b"no-store") or asked.has(b"no-store"),
        "private": said.has(b"private"),
        "set-cookie": bool(head.all(b"set-cookie")),
        "vary": b"*" in head.vary,
        "credentials": not head.is_public and has_credentials(request),
        "not-public": fresh_s is None and not said.has(b"public"),
        "stale": not fresh_s and not said.has(b"stale-if-error") and not has_validator,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def request_directives(request: Request) -> Directives:
    """What the request says; `Pragma: no-cache` counts where there is no Cache-Control (RFC 9111 section 5.4)."""
    values = request.fields.values
    said = values.get(b"cache-control")
    if said is None and b"no-cache" in values.get(b"pragma", b"").lower():
        said = b"no-cache"
    return Directives(() if said is None else (said,))
