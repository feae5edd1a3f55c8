"""Changes under way, each answered with a whole reply by a task of its own; and what is asked of their state.

Holds: a change that has begun goes on when its client leaves. Once its reply is sent, a client that leaves ends it.
Never: decides how a change is made (change/dispatch.py does).
"""

import asyncio
from collections.abc import Callable

from shardgate.core.exchange import Exchange
from shardgate.core.held import Holdings
from shardgate.core.http import Request
from shardgate.core.routes.route import Plan
from shardgate.engine.batch import InnerClient
from shardgate.engine.change.dispatch import ChangeHandler
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Snapshot
from shardgate.engine.connections import Connections
from shardgate.engine.gather.conductor import Conductor
from shardgate.net import tasks
from shardgate.net.client.contracts import Client


class OpenChanges:
    """The changes of one worker's clients."""

    __slots__ = ("_changes", "_conductor", "_connections", "_fail", "_made", "_prefix", "_tasks")

    def __init__(
        self,
        changes: ChangeHandler,
        conductor: Conductor,
        connections: Connections,
        prefix: bytes,
        made: Callable[[Request, int], None],
        fail: Callable[[Client, Exception, Exchange], None],
    ) -> None:
        """`prefix`: no other worker's; `made`: told of each reply, before its client is; `fail`: tells a client of an
        error."""
        self._changes = changes
        self._conductor = conductor
        self._connections = connections
        self._prefix = prefix
        self._made = made
        self._fail = fail
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, plan: Plan | None, request: Request, client: Client, exchange: Exchange, snapshot: Snapshot
    ) -> None:
        """Answer with a whole reply; without a plan, with the state of a change."""
        holdings = Holdings(self._conductor.held, client.peer)
        if (holding := client.hand_over()) is not None:
            holdings.keep(holding)
        change = ChangeRequest(request, snapshot, client.hop, exchange, holdings, self._connection(client))
        task = tasks.start(self._answer(plan, change, client), "change")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Those under way, also for clients that have left."""
        return list(self._tasks)

    def abort(self) -> None:
        """End all: the journal has them, and others go on with them."""
        for task in self.tasks:
            task.cancel()

    async def _answer(self, plan: Plan | None, change: ChangeRequest, client: Client) -> None:
        try:
            work = self._changes.status(change) if plan is None else self._changes.answer(plan, change)
            reply = await work
            change.holdings.close()
            self._made(change.request, reply.status)
            _adopt_this(client)  # the change is made: now a client that leaves ends the work
            await self._conductor.deliver(reply, change.request, client)
        except Exception as error:
            self._fail(client, error, change.exchange)
        finally:
            change.holdings.close()

    def _connection(self, client: Client) -> bytes:
        """A name of the client's connection that no other connection ever has."""
        if isinstance(client, InnerClient):
            client = client.outer
        return b"%b-%d" % (self._prefix, self._connections.number(client))


def _adopt_this(client: Client) -> None:
    # Not in the task itself: its frame would refer to it, and both to the reply, as garbage.
    if (task := asyncio.current_task()) is not None:
        client.adopt(task)
