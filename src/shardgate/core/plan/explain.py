"""A plan in words, for people: which rule, which shards, what each is asked, how the replies are merged.

Never: asks a shard. Where only a shard can say who owns a key, the question that it would be asked is shown.
"""

from collections.abc import Iterator

from shardgate.core.clients.masking import masked
from shardgate.core.http import Request
from shardgate.core.replies.cache.keys import has_credentials
from shardgate.core.replies.cache.storing import why_bypassed
from shardgate.core.routes.calls import NEVER, CallWords
from shardgate.core.routes.route import Plan, Route, Sentence


def explain(request: Request, plan: Plan, calls_max: int | None = None) -> list[Sentence]:
    """Titles and texts, in the order in which things happen. A title may repeat; it is then shown once.

    `calls_max`: the most calls to shards that one request may take; None: it is not said.
    """
    route = plan.route
    return [
        ("request", f"{request.method} {masked(request.target.decode('ascii'))}"),
        ("operation", f"{route.operation}  ({route.name})"),
        ("rule", describe_rule(route)),
        *_explain_client(request),
        *_explain_calls(route.calls),
        *_explain_cache(request, route),
        *plan.explain(request),
        *([("calls", f"at most {calls_max} to shards")] if calls_max is not None else []),
    ]


def describe_rule(route: Route) -> str:
    """The rule of a route in one line."""
    return f"not served: {route.unserved}" if route.rule is None else route.rule.describe(route)


def _explain_calls(words: CallWords | None) -> Iterator[Sentence]:
    """What the rule says of its calls. Without words, the guards of each shard say it all."""
    if words is None:
        return
    if words.retry == "unsent":
        yield "retry", "only what could not be sent: no other replica is asked after that, and none at the same time"
    elif words.retry == "idempotent":
        yield "retry", "another replica, also where the first one may have done it"
    if words.retry != "unsent" and words.hedge_after_s:
        yield "hedge", f"not before {words.hedge_after_s:g} s" if words.hedges else "never"
    if words.failures_max is not None:
        few = {NEVER: "no failure counts", 1: "one failure is enough"}
        enough = few.get(words.failures_max, f"{words.failures_max} failures in a row are enough")
        yield "breaker", f"{enough} to leave a replica out"
    if words.failure_is:
        yield "failed", f"a reply whose {' or '.join(words.failure_is)} says so; it speaks against its replica"


def _explain_cache(request: Request, route: Route) -> Iterator[Sentence]:
    """Whether the reply may be kept, as far as that depends on the request."""
    if route.coalesces:
        yield "coalesced", "with equal requests that are under way at the same time: one relay, one reply"
    words = None if route.rule is None else route.rule.cached
    if words is None:
        return
    if (why := why_bypassed(request)) is not None:
        yield "cache", f"not for this request ({why}): the shards are asked, and the reply is not kept"
        return
    who = "`public` or `s-maxage` (the request has credentials)" if has_credentials(request) else "a time, or `public`"
    yield "cache", f"a reply that says {who} is kept, unless it says `private` or `no-store`, or sets a cookie"
    if words.stale_if_error_s:
        yield "cache", f"{words.stale_if_error_s:g} s after it is stale, it still answers where the shards fail"


def _explain_client(request: Request) -> list[Sentence]:
    """The names of the token's claims. Their values are the client's own."""
    if request.claims is None:
        return []
    return [("client", f"verified, by a token with the claims {', '.join(request.claims)}")]
