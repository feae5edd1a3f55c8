"""Request + Route + what is known → Plan. Decides; never asks anyone."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Moment
from shardgate.core.errors import MissingKeyError, NotServedError, ShardDownError, UnknownKeyError
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.locate.learned import Learned
from shardgate.core.plan.key import read_key
from shardgate.core.plan.plan import FindOwner, Plan, ToAny, ToGather, ToOne, ToParts
from shardgate.core.plan.planned_changes import plan_change
from shardgate.core.plan.prune import prune
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import AnyShard, Gather, One
from shardgate.core.topology import ShardId

Clock = Callable[[], float]
"""Says how many seconds have passed since 1970."""


def plan_request(
    request: Request,
    route: Route,
    variables: Mapping[str, str],
    known: Known,
    clock: Clock,
) -> Plan:
    """The calls to make; the clock is read only where a merge begins.

    Raises a ClientError where the request is refused before anyone is asked.
    """
    rule = route.rule
    if isinstance(rule, One):
        return _plan_one(rule, request, route, variables, known, clock)
    if isinstance(rule, AnyShard):
        return ToAny(route, known.topology.ids)
    if rule is None:
        raise NotServedError(route.unserved or "this gateway does not serve the operation")
    if not isinstance(rule, Gather):
        return plan_change(rule, request, route, variables, known)
    moment = Moment(clock(), known.topology.epoch, known.pages)
    return _plan_gather(rule, request, route, variables, known, moment)


def _plan_gather(
    rule: Gather, request: Request, route: Route, variables: Mapping[str, str], known: Known, moment: Moment
) -> ToGather:
    everybody = known.topology.ids
    if route.parts_space is not None and (parted := known.topology.parts.get(route.parts_space)):
        # A filter may leave one part and not the other; who asks for one tenant, or as one, sees no other part.
        own = [each for each in route.filters if each.claim or each.variable]
        left = prune(own, "", known, request.claims, variables) if own else None
        moment = msgspec.structs.replace(moment, parted=parted)
        return ToGather(route, request, rule.merge.begin(request, everybody if left is None else left.shards, moment))
    pruned = prune(route.filters, request.query, known, request.claims, variables) if route.filters else None
    if pruned is None:
        return ToGather(route, request, rule.merge.begin(request, everybody, moment))
    instead = rule.merge.begin(request, everybody, moment) if pruned.hoped else None
    return ToGather(route, request, rule.merge.begin(request, pruned.shards, moment), pruned, instead)


def _plan_one(
    rule: One,
    request: Request,
    route: Route,
    variables: Mapping[str, str],
    known: Known,
    clock: Clock,
) -> Plan:
    key = read_key(rule.key, request, variables)
    if key is None:
        return _unowned(rule, request, route, known, None)
    if route.parts_space is not None and key in (parted := known.topology.parts.get(route.parts_space, {})):
        moment = Moment(clock(), known.topology.epoch, known.pages)
        return _plan_parts(rule, request, route, key, parted[key], variables, moment)
    remembered = None
    for locator in route.locators:
        place = locator.locate(rule.locate, key, known)
        if place is UNKNOWN:
            continue
        if isinstance(place, AskAll):
            probe = _probe(rule, request, route, key, place, known)
            return probe if remembered is None else ToOne(route, remembered, key, probe)
        if place not in known.topology.shards:
            log = f"{rule.locate} says that {place!r} owns the key; the configuration has no such shard"
            raise ShardDownError("the shard that owns the key cannot be reached", log=log)
        if not isinstance(locator, Learned):
            return ToOne(route, place, key)
        remembered = place
    if remembered is not None:
        return ToOne(route, remembered, key)
    return _unowned(rule, request, route, known, key)


def _plan_parts(
    rule: One,
    request: Request,
    route: Route,
    key: str,
    shards: Sequence[ShardId],
    variables: Mapping[str, str],
    moment: Moment,
) -> Plan:
    """All shards that may have a part: their replies become one. Raises UnknownKeyError, NotServedError."""
    if not shards:
        raise UnknownKeyError(f"nobody owns the key {key!r}")
    if request.method in {"GET", "HEAD"} and rule.parts is not None:
        return ToGather(route, request, rule.parts.begin(request, shards, moment))
    if rule.change is None:
        raise NotServedError("it is in parts on several shards, and the rule does not say how it is changed")
    return ToParts(route, rule, rule.change, key, shards, variables)


def _probe(rule: One, request: Request, route: Route, key: str, place: AskAll, known: Known) -> FindOwner:
    same = request.method in {"GET", "HEAD"} and request.path.rstrip("/") == place.path
    target = request.target if same else place.path.encode()
    return FindOwner(route, rule.locate, key, target, known.topology.ids, same)


def fallback_when_unowned(plan: FindOwner, request: Request, known: Known) -> ToAny | None:
    """No shard has the key: any instance can say so in its own words, if the rule lets it; None if it does not."""
    rule = plan.route.rule
    if isinstance(rule, One) and _may_ask_any(rule, request):
        return ToAny(plan.route, known.topology.ids)
    return None


def _unowned(rule: One, request: Request, route: Route, known: Known, key: str | None) -> ToAny:
    """There is no key, or no locator knows it. Raises MissingKeyError or UnknownKeyError."""
    if _may_ask_any(rule, request):
        return ToAny(route, known.topology.ids)
    if key is None:
        raise MissingKeyError(f"the request needs a key: {rule.key}")
    raise UnknownKeyError(f"nobody owns the key {key!r}")


def _may_ask_any(rule: One, request: Request) -> bool:
    return rule.unknown == "ask" or (rule.unknown is None and request.method in SAFE_METHODS)
