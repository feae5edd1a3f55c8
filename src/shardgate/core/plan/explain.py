"""A plan in words: which rule, which shards, what is asked of each, how the replies are merged. For people.

Never: asks a shard; what only a shard can say (who owns an unseen id) is told as the question it would be asked.
"""

from shardgate.core.clients.masking import masked
from shardgate.core.http import Request
from shardgate.core.plan.plan import Division, FindOwner, Placement, Plan, ToAny, ToEvery, ToGather, ToOne, ToParts
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import AnyShard, Divide, Every, Gather, One, Place, Rule


def explain(request: Request, plan: Plan) -> list[tuple[str, str]]:
    """Titles and texts, in the order in which things happen. A title may repeat; it is then shown once."""
    route = plan.route
    said = [
        ("request", f"{request.method} {masked(request.target.decode('ascii'))}"),
        ("operation", f"{route.operation}  ({route.method} {route.template})"),
        ("rule", describe_rule(route)),
        *_explain_client(request),
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
    elif isinstance(plan, FindOwner):
        said += _explain_probe(request, plan)
    elif isinstance(plan, ToGather):
        said += _explain_scatter(plan)
    else:
        said += _explain_write(plan)
    return said


def _explain_client(request: Request) -> list[tuple[str, str]]:
    """Whose token it is, by the names of its claims: what they say is the client's own."""
    if request.claims is None:
        return []
    return [("client", f"verified, by a token with the claims {', '.join(request.claims)}")]


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
    return f"not served: {route.unserved}" if rule is None else _describe_write(rule)


def _describe_write(rule: Rule) -> str:
    if isinstance(rule, Every):
        how = "all, or taken back" if rule.mode == "strict" else "a shard that is down gets it later"
        return f"every: all shards, journaled; {how}"
    if isinstance(rule, Place):
        policy = type(rule.policy).__struct_config__.tag
        return f"place: a new tenant of {rule.space}, by {policy}"
    if isinstance(rule, Divide):
        return f"divide: each of {rule.items or 'the items'} to the owner of {rule.key}, {rule.mode}"
    return ""


def _explain_probe(request: Request, plan: FindOwner) -> list[tuple[str, str]]:
    target = masked(plan.target.decode("ascii"))
    said = [("shard", f"not known yet for the key {plan.key!r}: all are asked who has it")]
    said += [("asked", f"{shard}: GET {target}") for shard in plan.shards]
    if plan.is_the_request:
        said.append(("then", "the one that has it answers; its place is remembered"))
    else:
        said.append(("then", f"{request.method} goes to the one that has it, and its place is remembered"))
    return said


def _explain_scatter(plan: ToGather) -> list[tuple[str, str]]:
    pruned = plan.pruned
    said = [] if pruned is None else [("pruned", reason) for reason in pruned.reasons]
    said += [
        ("asked", f"{ask.shard}: {ask.method.decode()} {masked(ask.target.decode('ascii'))}")
        for ask in plan.merging.asks()
    ]
    if pruned is not None and pruned.hoped:
        said.append(("then", "all shards, unless the page shows each id whose shard was only remembered"))
    return [*said, *(("merged", line) for line in plan.merging.explain())]


def _explain_write(plan: ToEvery | ToParts | Placement | Division) -> list[tuple[str, str]]:
    if isinstance(plan, ToEvery | ToParts):
        first, *others = plan.shards
        said = [("journal", "the change is written down first"), ("asked", f"{first}: the request; it judges for all")]
        return said + [("then", f"{shard}: the same") for shard in others]
    if isinstance(plan, Placement):
        where = "the pinned shard" if plan.pinned else "the shard that the policy chooses"
        shard = plan.pinned or "not known yet"
        return [("shard", f"{shard}: {where}"), ("then", "the directory has the tenant before the client hears of it")]
    said = []
    for key, place in zip(plan.keys, plan.places, strict=True):
        where = place if isinstance(place, str) else "all are asked who has it" if place else "nobody can own it"
        said.append(("item", f"{plan.rule.key} {key!r}: {where}"))
    return said
