"""Carries out the plans that ask several shards: lists, searches for the owner of a key, and batches.

A short page of a list needs no task (gather/short_gather.py); everything else runs as one.

Holds: a failure is told to the client, wherever it is raised. What a search or a gather leads to is carried out as any
other plan.
Never: plans.
Hot path: a gather of 4 x 10 rows.
"""

from collections.abc import Callable
from typing import Final

from shardgate.core.errors import BatchError, BugError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.lists.merging import ListMerging
from shardgate.core.plan.partial import ToPartialGather
from shardgate.core.plan.plan import FindOwner, ToGather, ToOne
from shardgate.core.plan.planner import fallback_when_unowned
from shardgate.core.routes.route import Plan
from shardgate.core.rules.batch import ToInner
from shardgate.core.wire.packed_tags import as_known
from shardgate.engine.batch import Batches, InnerClient
from shardgate.engine.cluster import Snapshot
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.owners import find_owner, shards_knowing
from shardgate.engine.gather.partial import PartialGathers
from shardgate.engine.gather.short_gather import ShortGather
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import wall

Following = Callable[[Plan, Request, Client, Exchange, Snapshot], None]
Fail = Callable[[Client, Exception, Exchange], None]


class SeveralShards:
    """Asks several shards for one worker's requests."""

    __slots__ = ("_batches", "_carry_out", "_conductor", "_fail", "_partials")

    def __init__(
        self, conductor: Conductor, partials: PartialGathers, batches: Batches, carry_out: Following, fail: Fail
    ) -> None:
        """`carry_out`: a plan that follows; `fail`: tell a client of an error."""
        self._conductor = conductor
        self._partials = partials
        self._batches = batches
        self._carry_out = carry_out
        self._fail = fail

    def ask(self, plan: Plan, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot) -> None:
        """Carry out a plan that is neither relayed nor answered whole. Raises BatchError, TooComplexError."""
        if isinstance(plan, ToGather):
            merging = plan.merging if plan.is_simple else None
            if isinstance(merging, ListMerging) and merging.is_short:

                def fail(error: Exception) -> None:
                    self._fail(client, error, exchange)

                work = self._conductor.work_of(plan, snapshot, client, exchange)
                gather = ShortGather(self._conductor, plan, merging, work, client, fail)
                client.adopt(gather)
                gather.start()
                return
        elif isinstance(plan, ToInner):
            if isinstance(client, InnerClient):
                raise BatchError("a batch in a batch is not accepted")
            client.adopt(tasks.start(self._batch(plan, request, client, exchange), "batch"))
            return
        if not isinstance(plan, _IN_A_TASK):
            raise BugError("a plan that is answered whole cannot be relayed")
        client.adopt(tasks.start(self._conduct(plan, request, client, exchange, snapshot), "request"))

    async def _batch(self, plan: ToInner, request: Request, client: Client, exchange: Exchange) -> None:
        try:
            await self._batches.answer(plan, request, client, exchange)
        except Exception as error:
            self._fail(client, error, exchange)

    async def _conduct(
        self, plan: FindOwner | ToGather, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot
    ) -> None:
        try:
            if isinstance(plan, ToGather):
                following = await self._gather(plan, client, exchange, snapshot)
            else:
                following = await self._find(plan, request, client, exchange, snapshot)
            if following is not None:
                self._carry_out(following, request, client, exchange, snapshot)
        except Exception as error:
            self._fail(client, error, exchange)

    async def _gather(self, plan: ToGather, client: Client, exchange: Exchange, snapshot: Snapshot) -> Plan | None:
        """What is to be done instead; None: it is answered."""
        work = self._conductor.work_of(plan, snapshot, client, exchange)
        if isinstance(plan, ToPartialGather):
            shows_head = not isinstance(client, InnerClient)
            return await self._partials.gather(plan, work, client, shows_head=shows_head)
        return await self._conductor.gather(plan, work, client)

    async def _find(
        self, plan: FindOwner, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot
    ) -> Plan | None:
        """What is to be done now that the owner is known; None: it is answered."""
        known, route = snapshot.known, plan.route
        if plan.gathers is not None and route.rule is not None:
            knowing = await shards_knowing(self._conductor, plan, request, snapshot, client.hop, exchange)
            return route.rule.among(knowing, request, route, plan.gathers, known, wall)
        owner, reply = await find_owner(self._conductor, plan, request, snapshot, client.hop, exchange)
        if plan.is_the_request:
            if reply.status == 304 and request.fields.packed_tags:
                reply.fields = as_known(reply.fields, request.fields.packed_tags)
        elif owner is not None:
            return ToOne(route, owner, plan.key)
        elif (fallback := fallback_when_unowned(plan, request, known)) is not None:
            return fallback
        await self._conductor.deliver(reply, request, client)
        return None


_IN_A_TASK: Final = (FindOwner, ToGather)
