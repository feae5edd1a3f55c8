"""What the gateway would do with a request: it is planned as the gateway plans it, and not carried out.

Never: opens a socket to a shard, or counts a call.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

from shardgate.clients.callers import callers_for
from shardgate.config.load import Loaded
from shardgate.core.changes.idempotency import FIELD
from shardgate.core.clients.classes import Classes
from shardgate.core.errors import ShardgateError
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.limits import Limits
from shardgate.core.plan.explain import explain
from shardgate.core.plan.plan import FindOwner, ToAny, ToGather, ToOne
from shardgate.core.plan.planner import plan_request
from shardgate.core.routes.route import Plan, Route
from shardgate.core.rules.divide import Division
from shardgate.core.rules.every import ToEvery
from shardgate.core.rules.one import ToParts
from shardgate.core.rules.place import Placement
from shardgate.core.topology import ShardId, Topology
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.cluster import first_snapshot
from shardgate.engine.matching import match
from shardgate.net.clock import wall
from shardgate.process.directory import read_topology
from shardgate.process.explain_guards import Asking, Replies, guards
from shardgate.store.opening import open_store


def explain_request(
    loaded: Loaded, method: str, target: str, headers: list[str], body: bytes
) -> tuple[list[tuple[str, str]], int]:
    """What the gateway would do with a request, in titled lines, and an exit code; no shard is asked."""
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *headers, ""])
    try:
        request = RequestHeadParser(refuses_raw=loaded.config.raw_query == "refuse").parse(head.encode())
        request.body = body
        with ExitStack() as stack:
            store = stack.enter_context(open_store(loaded.directory)) if loaded.directory is not None else None
            return _explained(loaded, request, read_topology(loaded, store)), 0
    except ShardgateError as error:
        return [("refused", f"{error.status} {error.title} ({error.code}): {error.detail}"), ("asked", "nobody")], 1


def _explained(loaded: Loaded, request: Request, topology: Topology) -> list[tuple[str, str]]:
    """Raises ShardgateError where the request is refused."""
    snapshot = first_snapshot(loaded.routes, topology, loaded.config.limits)
    callers = callers_for(loaded.clients, loaded.routes, None, None)
    if callers is not None:
        asyncio.run(callers.fetch_keys())
    route, variables = match(request, snapshot)
    if callers is not None:
        callers.identify(request, route)
    plan = plan_request(request, route, variables, snapshot.known, wall)
    limits = loaded.config.limits
    return [
        *explain(request, plan, _calls_max(plan, limits, len(snapshot.known.topology.ids))),
        *_class(loaded, request, route),
        *_held(request, route, plan, limits),
        *_deadline(loaded, route),
        *guards(
            _asking(loaded, request, route, plan),
            _asked(plan, snapshot.known.topology),
            snapshot.known.topology,
            loaded.config.timeouts,
        ),
        *_waits(plan, snapshot.known.topology),
    ]


def _class(loaded: Loaded, request: Request, route: Route) -> list[tuple[str, str]]:
    """The priority class, and how soon it is refused under overload."""
    if not loaded.classes:
        return []
    classes = Classes(loaded.classes, loaded.routes.named)
    ranks = [classes.rank_of(request, id(route), request.claims, is_proxied=is_proxied) for is_proxied in (False, True)]
    count, (direct, proxied) = len(classes.names), ranks
    lines = [("class", f"{classes.names[direct]} ({direct + 1} of {count}; under overload the last is refused first)")]
    if proxied != direct:
        lines.append(("class", f"{classes.names[proxied]}, where a trusted proxy has sent these header fields"))
    return lines


def _held(request: Request, route: Route, plan: Plan, limits: Limits) -> list[tuple[str, str]]:
    """What is held in memory for the request, with its bounds."""
    client_bytes_max = int(limits.held_bytes_max * limits.held_share_per_client_max)
    held: list[str] = []
    if request.method not in SAFE_METHODS and not route.streams:
        body_bytes_max = min(limits.held_body_bytes_max, client_bytes_max)
        if isinstance(plan, ToEvery | ToParts | Placement):
            body_bytes_max = min(body_bytes_max, limits.journaled_body_bytes_max)
        held.append(f"the body (≤ {body_bytes_max} bytes)")
    if not isinstance(plan, ToOne | ToAny):
        held.append(f"each shard's reply (≤ {min(limits.reply_body_bytes_max, client_bytes_max)} bytes)")
    return [("held", f"{' and '.join(held)}, within held_bytes_max")] if held else []


def _deadline(loaded: Loaded, route: Route) -> list[tuple[str, str]]:
    """Until when it must be answered, as its rule says, or its client may."""
    deadline_s = route.rule.deadline_s if route.rule is not None else None
    header = loaded.config.deadline_header
    if deadline_s is None and header is None:
        return []
    own = [] if deadline_s is None else [f"{deadline_s:g} s"]
    if header is not None:
        own.append(f"what `{header}` of the client says{', where that is less' if own else ''}")
    return [("deadline", f"{', or '.join(own)}: then 504 (SG2003)")]


def _asking(loaded: Loaded, request: Request, route: Route, plan: Plan) -> Asking:
    """What decides how the calls of a request are guarded."""
    reads = request.method in SAFE_METHODS or (route.rule is not None and route.rule.only_reads)
    has_key = loaded.store is not None and not reads and (route.keyed or FIELD in request.fields.values)
    is_relayed = isinstance(plan, ToOne | ToAny) and not has_key
    replies: Replies = "relayed" if is_relayed else "merged" if isinstance(plan, ToGather) else "whole"
    return Asking(request.method, route.calls, reads=reads, replies=replies, has_key=has_key)


def _asked(plan: Plan, topology: Topology) -> Sequence[ShardId]:
    """The shards that may be asked."""
    if isinstance(plan, ToOne):
        return [plan.shard]
    return plan.shards if isinstance(plan, ToAny | FindOwner | ToEvery | ToParts) else list(topology.ids)


def _waits(plan: Plan, topology: Topology) -> list[tuple[str, str]]:
    """How long the request waits where its shard cannot be reached."""
    rule = plan.route.rule
    if not isinstance(plan, ToOne) or rule is None or not rule.finds_owner:
        return []
    failover = topology.shards[plan.shard].failover
    return [] if failover is None else [("waits", f"up to {failover.wait_s:g} s while {plan.shard} cannot be reached")]


def _calls_max(plan: Plan, limits: Limits, shards: int) -> int:
    """The most calls to shards that the request may take."""
    if isinstance(plan, ToOne) and plan.doubted is None:
        return 1
    if isinstance(plan, ToAny):
        return len(plan.shards)
    if isinstance(plan, FindOwner) and plan.gathers is None:
        return len(plan.shards) + (0 if plan.is_the_request else 1)
    if isinstance(plan, Division) and plan.rule.mode != "all_or_none":
        return min(plan.calls_max(shards), limits.calls_per_request_max)
    return limits.calls_per_request_max
