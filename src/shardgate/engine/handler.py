"""The life of one request, on one screen. Start reading here.

    bytes → net/client → Request → handle: match → who calls → plan → carry out → net/client → bytes

A plan for one shard is relayed by callbacks, without a task: it is what most requests are. The others run as a task.
Any failure is a ShardgateError, and becomes a reply in core/replies/problem.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Final
from urllib.parse import parse_qsl

from shardgate.clients.callers import Callers
from shardgate.core.changes.verdict import STATUS_PATH
from shardgate.core.errors import (
    AmbiguousKeyError,
    BugError,
    ClientError,
    DeadlineError,
    MethodOverrideError,
    OverloadError,
    ShardgateError,
    UnknownKeyError,
    UpstreamError,
)
from shardgate.core.exchange import DEADLINE, DRAIN, GATEWAY, SHARD_BROKE, Exchange
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.limits import Limits
from shardgate.core.plan.plan import FindOwner, Plan, ToAny, ToGather, ToOne
from shardgate.core.plan.planner import fallback_when_unowned, plan_request
from shardgate.core.replies.problem import problem_reply
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import Divide, One
from shardgate.engine.change.handler import ChangeHandler
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster, Snapshot
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.relay import Relay
from shardgate.net import tasks
from shardgate.net.client.connection import ClientConnection
from shardgate.net.clock import now, wall
from shardgate.observe.observer import Observer

_log = logging.getLogger("shardgate")


class Gateway:
    """Answers every request of one worker."""

    __slots__ = (
        "_answering",
        "_answers",
        "_callers",
        "_clients",
        "_cluster",
        "_conductor",
        "_id_prefix",
        "_limits",
        "_numbers",
        "_observer",
        "_refresh",
        "_turn",
    )

    def __init__(
        self,
        cluster: Cluster,
        conductor: Conductor,
        answering: ChangeHandler,
        limits: Limits,
        observer: Observer,
        refresh: Callable[[], bool],
        callers: Callers | None = None,
    ) -> None:
        self._callers = callers
        self._cluster = cluster
        self._conductor = conductor
        self._answering = answering
        self._observer = observer
        self._refresh = refresh
        self._clients: set[ClientConnection] = set()
        self._limits = limits
        self._numbers = count()
        self._id_prefix = token_hex(6).encode()  # not made on import: all workers are forks of one process
        self._turn = 0
        self._answers = 0

    def handle(self, request: Request, client: ClientConnection) -> None:
        """Match, plan, carry out. A body that has not come whole is collected first where the plan depends on it."""
        exchange = client.exchange or self._begin(request, client)
        snapshot = self._cluster.snapshot
        try:
            if self._observer.meter.in_flight > self._limits.requests_in_flight_max:
                raise OverloadError("too many requests are under way")
            if request.path.startswith(STATUS_PATH):
                self._answer(None, ChangeRequest(request, snapshot, client.hop, exchange), client)
                return
            route, variables = self._match(request, snapshot)
            exchange.route = route
            if self._callers is not None:
                again = partial(self.handle, request, client)  # no closure: its cells would cost every request
                if not self._callers.admit(request, route, client, again):
                    return
            if request.arriving and not self._streams(request, route):
                client.collect()
                return
            plan = self._plan(request, route, variables, snapshot)
            if self._answering.wants(plan, request.method, request.fields.values):
                self._answer(plan, ChangeRequest(request, snapshot, client.hop, exchange), client)
                return
            if request.arriving and isinstance(plan, ToOne) and plan.doubted is not None:
                plan = plan.doubted  # a body that streams can be sent once only: make sure where first
            self._carry_out(plan, request, client, exchange, snapshot)
        except Exception as error:
            _fail(client, error, exchange)

    def plan(self, request: Request, snapshot: Snapshot) -> Plan:
        """What must be asked of whom. Raises a ClientError where the request is refused before anyone is asked."""
        route, variables = self._match(request, snapshot)
        if self._callers is not None:
            self._callers.identify(request, route)
        return self._plan(request, route, variables, snapshot)

    def _begin(self, request: Request, client: ClientConnection) -> Exchange:
        request_id = request.fields.request_id or self._new_id()
        exchange = Exchange(request, request_id, client.peer, now(), client.head_bytes + len(request.body))
        client.exchange = exchange
        self._observer.meter.in_flight += 1
        return exchange

    def _match(self, request: Request, snapshot: Snapshot) -> tuple[Route, Mapping[str, str]]:
        if snapshot.method_override is not None and request.method == "POST" and request.query:
            _override_method(request, snapshot.method_override)
        if request.fields.method_override is not None:
            _override_by_header(request, *request.fields.method_override, snapshot.method_override_header)
        return snapshot.routes.match(request.method, request.path)

    def _streams(self, request: Request, route: Route) -> bool:
        if not route.streams or request.method in SAFE_METHODS:
            return False
        return not self._answering.may_have_key(route, request.fields.values)

    def _plan(self, request: Request, route: Route, variables: Mapping[str, str], snapshot: Snapshot) -> Plan:
        if route.parts_space is not None and self._refresh():  # another worker may just have made one in parts
            snapshot = self._cluster.snapshot
        try:
            plan = plan_request(request, route, variables, snapshot.known, wall)
        except UnknownKeyError:
            if not self._refresh():
                raise
        else:
            # Another worker may just have placed the tenant that nobody here knows yet.
            if not (isinstance(plan, ToAny) and isinstance(route.rule, _OWNED) and self._refresh()):
                return plan
        return plan_request(request, route, variables, self._cluster.snapshot.known, wall)

    def opened(self, client: ClientConnection) -> bool:
        """A client has come; False: there is no room for it."""
        self._clients.add(client)
        has_room = len(self._clients) <= self._limits.client_connections_max
        self._observer.meter.client_came(refused=not has_room)
        return has_room

    def closed(self, client: ClientConnection) -> None:
        """A client has gone."""
        self._clients.discard(client)
        self._observer.meter.client_went()

    def refused(self, request: Request | None, client: ClientConnection, error: ClientError) -> None:
        """A request that the connection refuses itself."""
        if client.exchange is None:
            client.exchange = Exchange(request, b"", client.peer, now(), client.head_bytes if request else 0)
            self._observer.meter.in_flight += 1
        client.exchange.error = error.code

    def finished(self, exchange: Exchange) -> None:
        """A request is over."""
        self._observer.meter.in_flight -= 1
        self._observer.finished(exchange)

    def abort(self) -> None:
        """End what could not be drained; what runs for it is cancelled."""
        for client in list(self._clients):
            client.abort(DRAIN)

    def drain(self) -> int:
        """Let each client go after its next reply, or after a moment without one.

        Returns how much is still here: clients, and what is written for clients that have left.
        """
        for client in self._clients:
            client.retire()
        return len(self._clients) + self._answers

    def _carry_out(
        self, plan: Plan, request: Request, client: ClientConnection, exchange: Exchange, snapshot: Snapshot
    ) -> None:
        if isinstance(plan, FindOwner | ToGather):
            work = self._conduct(plan, request, client, exchange, snapshot)
            client.adopt(tasks.start(work, "request"))
            return
        if not isinstance(plan, _RELAYED):
            raise BugError("a plan that is answered whole cannot be relayed")
        relay = Relay(self._cluster, client, request, plan.route, exchange, snapshot.known.memory)
        client.adopt(relay)
        if isinstance(plan, ToAny):
            self._turn = (self._turn + 1) % len(plan.shards)
            shards = [*plan.shards[self._turn :], *plan.shards[: self._turn]]
            relay.start(shards[0], others=shards[1:])
        elif (probe := plan.doubted) is not None:
            relay.start(plan.shard, doubt=lambda: self._carry_out(probe, request, client, exchange, snapshot))
        else:
            relay.start(plan.shard)

    def _answer(self, plan: Plan | None, asking: ChangeRequest, client: ClientConnection) -> None:
        """Answer with a whole reply. It is not cancelled: what is begun goes on when the client leaves."""

        async def answer() -> None:
            self._answers += 1
            try:
                work = self._answering.status(asking) if plan is None else self._answering.answer(plan, asking)
                client.send(await work)
            except Exception as error:
                _fail(client, error, asking.exchange)
            finally:
                self._answers -= 1

        tasks.start(answer(), "write")

    async def _conduct(
        self,
        plan: FindOwner | ToGather,
        request: Request,
        client: ClientConnection,
        exchange: Exchange,
        snapshot: Snapshot,
    ) -> None:
        try:
            if isinstance(plan, ToGather):
                await self._conductor.gather(plan, snapshot, client, exchange)
                return
            owner, reply = await self._conductor.find(plan, request, snapshot, client.hop, exchange)
            if plan.is_the_request:
                client.send(reply)
            elif owner is not None:
                self._carry_out(ToOne(plan.route, owner, plan.key), request, client, exchange, snapshot)
            elif (anyone := fallback_when_unowned(plan, request, snapshot.known)) is not None:
                self._carry_out(anyone, request, client, exchange, snapshot)
            else:
                client.send(reply)
        except Exception as error:
            _fail(client, error, exchange)

    def _new_id(self) -> bytes:
        return b"%b-%x" % (self._id_prefix, next(self._numbers))


_OWNED: Final = (One, Divide)
_RELAYED: Final = (ToOne, ToAny)  # made once: a union would be made for every request
_OVERRIDES = frozenset({"PUT", "PATCH", "DELETE"})


def _fail(client: ClientConnection, error: Exception, exchange: Exchange) -> None:
    request_id = exchange.request_id.decode("ascii")
    if not isinstance(error, ShardgateError):
        _log.error("request %s failed", request_id, exc_info=error)
        error = BugError("the gateway failed; its log says more under this request's id")
    elif error.log or exchange.first_byte_at:
        _log.warning("request %s: %s: %s", request_id, error.code, error.log or error.detail)
    exchange.error = error.code
    if not exchange.first_byte_at:
        client.send(problem_reply(error, request_id))
    elif isinstance(error, DeadlineError):
        client.abort(DEADLINE)
    else:
        client.abort(SHARD_BROKE if isinstance(error, UpstreamError) else GATEWAY)


def _override_method(request: Request, parameter: str) -> None:
    """`POST /v3/orders/7?method=PATCH` is a PATCH; it is sent on as it came."""
    named = [value for name, value in parse_qsl(request.query, keep_blank_values=True) if name == parameter]
    if len(named) > 1:
        raise AmbiguousKeyError(f"the parameter {parameter!r} stands twice")
    if named and named[0].upper() in _OVERRIDES:
        request.method = named[0].upper()


def _override_by_header(request: Request, name: bytes, value: bytes, configured: bytes | None) -> None:
    """`X-HTTP-Method-Override: PATCH`, where the configuration names that header; otherwise an application might take
    for a PATCH what was routed as a POST."""
    method = value.decode("latin-1").upper()
    if method == request.method:
        return
    if name != configured or request.method != "POST" or method not in _OVERRIDES:
        raise MethodOverrideError("a header names another method than the one that was sent")
    request.method = method
