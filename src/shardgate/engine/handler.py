"""The life of one request, on one screen. Start reading here.

    bytes → net/client → Request → handle: match → who calls → plan → carry out → net/client → bytes

Most requests go to one shard: these are relayed by callbacks, without a task. What needs several shards is carried out
by several.py, what changes several by open_changes.py, mostly as a task each. Any failure is a ShardgateError:
engine/report logs it, core/replies/problem makes the reply.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from secrets import token_hex
from typing import Final

from shardgate.clients.callers import Callers
from shardgate.clients.loads import ClientLoads
from shardgate.clients.ranks import Ranks
from shardgate.core.changes.verdict import STATUS_PATH
from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import ClientShareError, ShardgateError, TenantMovesError, UnknownKeyError
from shardgate.core.exchange import Exchange
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.limits import REST_S_MAX
from shardgate.core.plan.operators import Operators
from shardgate.core.plan.partial import with_provenance
from shardgate.core.plan.plan import ToAny, ToGather, ToOne
from shardgate.core.plan.planner import plan_request
from shardgate.core.replies.problem import problem_reply
from shardgate.core.routes.route import Plan, Route
from shardgate.core.wire.packed_tags import restored
from shardgate.engine.batch import Batches, InnerClient
from shardgate.engine.behind import BehindError, SharedKnowledge
from shardgate.engine.caching import Caches
from shardgate.engine.change.dispatch import WHOLE, ChangeHandler
from shardgate.engine.cluster import Cluster, Snapshot
from shardgate.engine.coalescing import CoalescedRelays
from shardgate.engine.connections import Connections
from shardgate.engine.deadlines import Deadlines
from shardgate.engine.fence import Fence, HeldRequest
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.partial import PartialGathers
from shardgate.engine.matching import guard_arriving, match, may_name_method
from shardgate.engine.open_changes import OpenChanges
from shardgate.engine.overload import Overload
from shardgate.engine.relay import Relay
from shardgate.engine.request_ids import ids_of_requests
from shardgate.engine.several import SeveralShards
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now, wall
from shardgate.observe.observer import Observer

# Names of this module: compiled, those of another one are looked up in a dict.
_WHOLE: Final = WHOLE
_SAFE: Final = SAFE_METHODS


class Gateway:
    """Answers every request of one worker."""

    __slots__ = (
        "_batches",
        "_caches",
        "_callers",
        "_changes",
        "_cluster",
        "_coalesced",
        "_connections",
        "_id_prefix",
        "_meter",
        "_minds_ends",
        "_new_ids",
        "_observer",
        "_open_changes",
        "_overload",
        "_partials",
        "_refresh",
        "_several",
        "_shares",
        "_turn",
        "deadlines",
        "directory",
        "fence",
        "loads",
    )

    def __init__(
        self,
        cluster: Cluster,
        conductor: Conductor,
        changes: ChangeHandler,
        loads: ClientLoads,
        observer: Observer,
        refresh: Callable[[], bool],
        callers: Callers | None = None,
    ) -> None:
        self.deadlines: Deadlines | None = None
        """Of requests; None: no rule and no client has any."""
        self._caches: Caches | None = None
        self._minds_ends = False  # a rule keeps replies, or shares them; or requests are counted by their class
        self._shares = False  # one of the first two
        self.fence = Fence(cluster.watch)
        """What waits while a tenant moves."""
        self.directory: SharedKnowledge | None = None
        """Where it is on another machine."""
        self._callers = callers
        self.loads = loads
        """What clients take up of this worker."""
        self._connections = Connections(loads, observer.meter)
        loads.lasting = self._connections.lasting
        self._overload = Overload(loads, conductor.turns, observer.meter)
        self._cluster = cluster
        self._changes = changes
        self._batches = Batches(self, conductor)
        self._coalesced = CoalescedRelays(conductor.held, observer.meter)
        self._partials = PartialGathers(cluster, conductor, observer.meter)
        self._observer = observer
        self._meter = observer.meter
        self._refresh = refresh
        self._id_prefix = token_hex(6).encode()  # not made on import: all workers are forks of one process
        self._new_ids = ids_of_requests(self._id_prefix)
        self._turn = 0
        self._open_changes = OpenChanges(changes, conductor, self._connections, self._id_prefix, self._made, self._fail)
        self._several = SeveralShards(conductor, self._partials, self._batches, self._carry_out, self._fail)

    def share(self, caches: Caches | None) -> None:
        """Rules say that replies are kept, or that equal requests share one."""
        self._caches, self._shares, self._minds_ends = caches, True, True

    def rank(self, ranks: Ranks) -> None:
        """Some requests are more important than others."""
        self._overload.ranks, self._minds_ends = ranks, True

    # Not shorter: on the hot path each call costs.
    def handle(self, request: Request, client: Client) -> None:  # noqa: C901, PLR0912
        """Match, plan, carry out. A body that is still arriving is collected first where the plan depends on it."""
        exchange = client.exchange or self._begin(request, client)
        snapshot = self._cluster.snapshot
        try:
            if exchange.load is None:
                self._count(client, exchange)
            if request.path.startswith(STATUS_PATH):
                self._status(request, client, exchange)
                return
            if request.arriving and snapshot.method_override_member is not None and request.method == "POST":
                client.collect()  # the method stands in the body
                return
            route, variables = match(request, snapshot)
            exchange.route = route
            if self.deadlines is not None:
                self.deadlines.begin(request, route, client, exchange)
            if self._meter.in_flight > self.loads.unwatched_max:
                batch_rank = client.rank if isinstance(client, InnerClient) else -1
                self._overload.take_on(request, route, client, exchange, batch_rank=batch_rank)
            if route.is_list and not exchange.is_list:
                exchange.is_list = True
                self.loads.shedding.lists += 1
            if self._callers is not None and not self._admits(self._callers, request, route, client, exchange):
                return
            if request.arriving and not self._goes_on(request, route, client, snapshot):
                return
            plan = self._plan(request, route, variables, snapshot)
            if self.fence.is_up and self.fence.holds(plan, request.method):
                self._hold(request, client, exchange)
            elif route.shares and not isinstance(client, InnerClient):
                self._answer_shared(request, plan, variables, client, exchange)
            elif type(plan) in _WHOLE or self._may_have_key(plan, request):
                self._open_changes.begin(plan, request, client, exchange, snapshot)
            else:
                if request.arriving and isinstance(plan, ToOne) and plan.doubted is not None:
                    plan = plan.doubted  # a body that streams can be sent only once: find its owner first
                self._carry_out(plan, request, client, exchange, snapshot)
        except BehindError:
            client.adopt(tasks.start(self._catch_up(partial(self.handle, request, client)), "directory"))
        except Exception as error:
            self._fail(client, error, exchange)

    def _answer_shared(
        self,
        request: Request,
        plan: Plan,
        variables: Mapping[str, str],
        client: Client,
        exchange: Exchange,
    ) -> None:
        """Answer with what is kept, or with the reply to an equal request. It was planned, so that it may be asked."""
        route = plan.route

        def ask(asked: Request, for_client: Client) -> None:
            def begin(asking: Client, record: Exchange) -> None:
                known = self._cluster.snapshot  # it may begin later, when the reply turned out to be another client's
                try:
                    anew = self._plan(asked, route, variables, known)
                    if self.fence.is_up and self.fence.holds(anew, asked.method):
                        raise TenantMovesError("a tenant moves, and the request was about to begin anew")
                    self._carry_out(anew, asked, asking, record, known)
                except BehindError:
                    asking.adopt(tasks.start(self._catch_up(partial(begin, asking, record)), "directory"))
                except Exception as error:
                    self._fail(asking, error, record)

            if route.coalesces:
                topology = self._cluster.snapshot.known.topology
                self._coalesced.answer(asked, plan, topology, for_client, exchange, begin)
            else:
                begin(for_client, exchange)

        if route.is_cached and self._caches is not None:
            failed = partial(self._failed, client, exchange)
            self._caches.answer(request, route, client, exchange, ask, failed)
        else:
            ask(request, client)

    def _failed(self, client: Client, exchange: Exchange, error: Exception) -> None:
        self._fail(client, error, exchange)

    async def _catch_up(self, again: Callable[[], None]) -> None:
        """Begin a request anew after the directory was looked at."""
        directory = self.directory
        assert directory is not None
        await directory.catch_up()
        directory.is_fresh = True
        try:
            again()
        finally:
            directory.is_fresh = False

    def _begin(self, request: Request, client: Client) -> Exchange:
        if self._cluster.compress is not None:
            request.fields = restored(request.fields)
        request_id = request.fields.request_id or next(self._new_ids)
        exchange = Exchange(request, request_id, client.peer, now(), client.head_bytes + len(request.body))
        client.exchange = exchange
        self._meter.in_flight += 1
        return exchange

    def _count(self, client: Client, exchange: Exchange) -> None:
        """Count a request that has come. Raises ClientShareError."""
        load = client.load
        if load is not None and load.requests < self.loads.unchecked_max:
            load.requests += 1  # as `begin` does, for nearly all requests
        else:
            load = self.loads.begin(load, client.peer)
        exchange.load = load

    def _admits(self, callers: Callers, request: Request, route: Route, client: Client, exchange: Exchange) -> bool:
        """Whether the request may go on; False: it comes again when its token's key is there."""
        again = partial(self.handle, request, client)
        if not callers.admit(request, route, client, again):
            return False
        if not self.loads.by_address and exchange.load is not None:
            exchange.load = self.loads.identify(exchange.load, request.claims)
        operators = callers.operators
        if operators is not None and operators.concern(request):
            self._serve_operator(operators, request, client, exchange)
            return False
        return True

    def _serve_operator(self, operators: Operators, request: Request, client: Client, exchange: Exchange) -> None:
        """Ask the shard that the operator names; or gather, and say where the rows came from."""
        snapshot = self._cluster.snapshot
        route, variables = match(request, snapshot)
        shard = operators.aimed_at(request, snapshot.known.topology.shards)
        plan = self._plan(request, route, variables, snapshot)  # what is not served is refused as ever
        if shard is not None:
            plan = ToOne(route, shard, "")
        elif isinstance(plan, ToGather):
            plan = with_provenance(plan)
        self._carry_out(plan, request, client, exchange, snapshot)

    def _goes_on(self, request: Request, route: Route, client: Client, snapshot: Snapshot) -> bool:
        """Whether the body can be sent on while it arrives; False: the request comes again when enough of it is here.

        A method is looked for in a short one. No shard is sent any of it before it has come anyway.
        """
        keyed = self._changes.may_have_key(route, request.fields.values)
        if not route.streams or request.method in SAFE_METHODS or keyed:
            client.collect()
            return False
        upload = client.incoming
        if upload is None or not may_name_method(request, snapshot):
            return True
        if not upload.has_enough:
            upload.await_enough(partial(self.handle, request, client))
            return False
        if body := upload.seen:
            guard_arriving(request, snapshot, body)
        return True

    def _may_have_key(self, plan: Plan, request: Request) -> bool:
        method = request.method
        return method not in _SAFE and self._changes.may_have_key(plan.route, request.fields.values)

    def _plan(self, request: Request, route: Route, variables: Mapping[str, str], snapshot: Snapshot) -> Plan:
        if route.parts_space is not None and self._refresh():  # another worker may just have made the entity
            snapshot = self._cluster.snapshot
        try:
            plan = plan_request(request, route, variables, snapshot.known, wall)
        except UnknownKeyError:
            if not self._refresh():
                raise
        else:
            # Another worker may just have placed the tenant.
            rule = route.rule
            if not (type(plan) is ToAny and rule is not None and rule.finds_owner and self._refresh()):
                return plan
        return plan_request(request, route, variables, self._cluster.snapshot.known, wall)

    def opened(self, client: Client) -> bool:
        """Count a new connection; False: there is no room for it."""
        return self._connections.opened(client)

    def upload_begun(self, client: Client) -> ClientLoad | None:
        """Count a body that did not come with its head. Raises ClientShareError."""
        return self.loads.begin_upload(client.load, client.peer)

    def upload_over(self, load: ClientLoad) -> None:
        """The body is whole, or not read any more."""
        self.loads.end_upload(load)

    def closed(self, client: Client) -> None:
        """Forget a connection that is closed."""
        self._connections.closed(client)

    def refused(self, request: Request | None, client: Client, error: ShardgateError) -> None:
        """Report a request that the connection itself refuses: its bytes are no valid request."""
        if client.exchange is None:
            request_id = (request.fields.request_id if request is not None else None) or next(self._new_ids)
            client.exchange = Exchange(request, request_id, client.peer, now(), client.head_bytes if request else 0)
            self._meter.in_flight += 1
        self._cluster.reporter.report(error, client.exchange)

    def finished(self, exchange: Exchange) -> None:
        """Count a request that is over, and log it."""
        if self.deadlines is not None:
            self.deadlines.over(exchange)
        self._meter.in_flight -= 1
        if exchange.is_list:
            self.loads.shedding.lists -= 1
        load = exchange.load
        if load is not None:
            load.requests -= 1
            if not load.connections:
                self.loads.settle(load)
        if self._minds_ends:
            self._overload.over(exchange)
            if self._shares:
                self._forget(exchange.request, exchange.status)
        self._observer.finished(exchange)

    def _made(self, request: Request, status: int) -> None:
        """A change is over, maybe long after its client has left."""
        if self._shares:
            self._forget(request, status)

    def _forget(self, request: Request | None, status: int) -> None:
        """Where a request may have changed something, give nobody any more what was asked for before it."""
        if request is None or request.method in SAFE_METHODS:
            return
        self._coalesced.changed()
        self._partials.changed()
        if self._caches is not None:
            self._caches.changed(request, status)

    def under_way(self, concerns: Callable[[Exchange], bool]) -> list[Exchange]:
        """The requests under way that do not wait at the fence, as `concerns` says. A batch is its requests."""
        found = [each for each in self._batches.unfolded(self._connections.exchanges()) if concerns(each)]
        return [each for each in found if not each.ended_at and not self.fence.waits(each)]

    def changes_under_way(self) -> list[asyncio.Task[None]]:
        """What is answered with a whole reply, also for clients that have left."""
        return self._open_changes.tasks

    def _hold(self, request: Request, client: Client, exchange: Exchange) -> None:
        """Let a request wait at the fence. Raises TenantMovesError."""
        held = HeldRequest(
            self.fence,
            exchange,
            lambda: self.handle(request, client),
            lambda error: self._fail(client, error, exchange),
        )
        self.fence.hold(held)
        client.adopt(held)

    def abort(self) -> None:
        """Answer the requests that did not end within the drain time, and close their connections.

        What goes on for clients that have left ends, too: the journal has it, and others go on with it.
        """
        self._connections.abort()
        self._open_changes.abort()

    def drain(self) -> int:
        """Close each connection after its next reply, or after a moment without a request.

        Returns how many connections are open, plus how many changes go on for clients that have left.
        """
        return self._connections.retire() + len(self._open_changes.tasks)

    def _carry_out(self, plan: Plan, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot) -> None:
        if type(plan) is ToOne:  # compiled, it costs a tenth of isinstance
            relay = Relay(self._cluster, client, request, plan.route, exchange, snapshot.known.memory)
            client.adopt(relay)
            if plan.recalled:
                self._relay_recalled(plan, relay, request, client, exchange, snapshot)
            else:
                relay.start(plan.shard)
        elif isinstance(plan, ToAny):
            relay = Relay(self._cluster, client, request, plan.route, exchange, snapshot.known.memory)
            client.adopt(relay)
            self._turn = (self._turn + 1) % len(plan.shards)
            shards = self._cluster.silent_last([*plan.shards[self._turn :], *plan.shards[: self._turn]])
            relay.start(shards[0], others=shards[1:])
        else:
            self._several.ask(plan, request, client, exchange, snapshot)

    def _relay_recalled(
        self, plan: ToOne, relay: Relay, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot
    ) -> None:
        """To the shard that is remembered; it may say that it does not have the key."""

        def doubt() -> bool:
            snapshot.known.memory.forget(plan.recalled, plan.key)
            search = plan.doubted
            if search is None:
                return False
            if self.fence.is_up and self.fence.holds(search, request.method):
                self._hold(request, client, exchange)
                return True
            self._carry_out(search, request, client, exchange, snapshot)
            return True

        relay.start(plan.shard, doubt=doubt)

    def _status(self, request: Request, client: Client, exchange: Exchange) -> None:
        """The state of a change, for the client that made it: its token is verified first, where tokens are."""
        if self._callers is not None and not self._callers.know(request, client, partial(self.handle, request, client)):
            return
        self._open_changes.begin(None, request, client, exchange, self._cluster.snapshot)

    def _fail(self, client: Client, error: Exception, exchange: Exchange) -> None:
        """Log the failure, and tell the client; a reply that has begun is cut off instead."""
        known = self._cluster.reporter.report(error, exchange)
        # The frames of the failed work refer to bodies, and where one refers to the error, they would be garbage.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        if isinstance(error, ClientShareError) and self.loads.may_rest(client.load, error):
            # A flood of refusals would cost as much as many requests.
            client.rest(min(REST_S_MAX, known.retry_after_s or 1))
        if exchange.first_byte_at:
            client.abort(known.cut_off)
        else:
            client.send(problem_reply(known, exchange.request_id.decode("ascii")))
