"""A plan in words: which rule, which shards, what is asked of each, how the replies are merged. For people.

Never: asks a shard; what only a shard can say (who owns an unseen id) is told as the question it would be asked.
"""

from shardgate.core.http import Request
from shardgate.core.plan.plan import Plan, Probe, Scatter, ToAny, ToOne
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import AnyShard, Gather, One


def explain(request: Request, plan: Plan) -> list[tuple[str, str]]:
    """Titles and texts, in the order in which things happen. A title may repeat; it is then shown once."""
    route = plan.route
    said = [
        ("request", f"{request.method} {request.target.decode('ascii')}"),
        ("operation", f"{route.operation}  ({route.method} {route.template})"),
        ("rule", describe_rule(route)),
    ]
    if isinstance(plan, ToOne):
        said += [
            ("shard", f"{plan.shard} owns the key {plan.key!r}"),
            ("asked", f"{plan.shard}: the request as it came; the reply passes untouched"),
        ]
    elif isinstance(plan, ToAny):
        why = "no key, or nobody owns it: " if isinstance(route.rule, One) else ""
        said += [
            ("shard", f"{why}any of {', '.join(plan.shards)}"),
            ("asked", "the first that can be reached: the request as it came"),
        ]
    elif isinstance(plan, Probe):
        said += _explain_probe(request, plan)
    else:
        said += _explain_scatter(plan)
    return said


def describe_rule(route: Route) -> str:
    """The rule of a route in one line."""
    rule = route.rule
    if isinstance(rule, One):
        key = rule.key if isinstance(rule.key, str) else ", ".join(rule.key)
        chain = ", then ".join(type(locator).__name__.lower() for locator in route.locators)
        return f"one: the shard that owns {key}, found by {rule.locate} ({chain})"
    if isinstance(rule, AnyShard):
        return "any: the same on every shard"
    if isinstance(rule, Gather):
        left = f" that {', '.join(rule.prune)} leave" if rule.prune else ""
        return f"gather: every shard{left}, merged as {rule.merge.describe()}"
    return f"not served: {route.unserved}"


def _explain_probe(request: Request, plan: Probe) -> list[tuple[str, str]]:
    target = plan.target.decode("ascii")
    said = [("shard", f"not known yet for the key {plan.key!r}: all are asked who has it")]
    said += [("asked", f"{shard}: GET {target}") for shard in plan.shards]
    if plan.is_the_request:
        said.append(("then", "the one that has it answers; its place is remembered"))
    else:
        said.append(("then", f"{request.method} goes to the one that has it, and its place is remembered"))
    return said


def _explain_scatter(plan: Scatter) -> list[tuple[str, str]]:
    pruned = plan.pruned
    said = [] if pruned is None else [("pruned", reason) for reason in pruned.reasons]
    said += [
        ("asked", f"{ask.shard}: {ask.method.decode()} {ask.target.decode('ascii')}") for ask in plan.merging.asks()
    ]
    if pruned is not None and pruned.hoped:
        said.append(("then", "all shards, unless the page shows each id whose shard was only remembered"))
    return [*said, *(("merged", line) for line in plan.merging.explain())]
