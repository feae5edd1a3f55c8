"""Request + Route + what is known → Plan. The rule decides; nothing here asks a shard.

Hot path: every request is planned; `tests/bench/test_regression.py` holds the number of instructions.
"""

from typing import cast

from shardgate.core.contracts import Known
from shardgate.core.errors import NotServedError
from shardgate.core.http import Request
from shardgate.core.plan.plan import FindOwner, ToAny, ToOne
from shardgate.core.routes.route import Clock, Plan, Route, Variables
from shardgate.core.topology import ShardId

NO_OWNER = "no key, or nobody owns it: "


def plan_request(request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Plan:
    """The calls to make; the clock is read only where a merge begins.

    Raises a ClientError where the request is refused before any shard is asked.
    """
    rule = route.rule
    if rule is None:
        raise NotServedError(route.unserved or "this gateway does not serve the operation")
    finder = route.finder
    if finder is not None and (key := variables.get(route.direct)) is not None:
        # What the rule does first, for most requests. Rules are not compiled; this costs a third of it.
        place = finder.locate(route.chain, key, known)
        if place in known.topology.shards:
            return ToOne(route, cast("ShardId", place), key)
    return rule.plan(request, route, variables, known, clock)


def fallback_when_unowned(plan: FindOwner, request: Request, known: Known) -> ToAny | None:
    """No shard has the key: any shard can say so in its own words, if the rule allows it; None if it does not."""
    rule = plan.route.rule
    if rule is not None and rule.may_ask_any(request.method):
        return ToAny(plan.route, known.topology.ids, NO_OWNER)
    return None
