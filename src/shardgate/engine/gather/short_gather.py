"""A gather whose page can be made as soon as the last shard has replied: without a task, in the same turn of the loop.

Its round begins in the turn in which the request came. Where the replies are long, or anything in them is unusual, a
task goes on with the round, as for any other gather. Where there is more to do than can be done, pages take turns.

Holds: a client that leaves ends the round. The bytes that are held are given back, whatever happens.
"""

import asyncio
from collections.abc import Callable, Sequence

from shardgate.core.contracts import Ask
from shardgate.core.http import Reply
from shardgate.core.limits import FLOW_BYTES_MIN, WRITE_BUFFER_BYTES_MAX
from shardgate.core.lists.merging import ListMerging
from shardgate.core.plan.plan import ToGather
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.gathering import Gathering
from shardgate.engine.gather.round import Round
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now


class ShortGather:
    """One gather under way; the work that its client's connection cancels."""

    __slots__ = ("_asks", "_calls", "_client", "_conductor", "_fail", "_merging", "_plan", "_task", "_work")

    def __init__(
        self,
        conductor: Conductor,
        plan: ToGather,
        merging: ListMerging,
        work: Gathering,
        client: Client,
        fail: Callable[[Exception], None],
    ) -> None:
        """`fail`: tells the client of an error."""
        self._conductor = conductor
        self._plan = plan
        self._merging = merging
        self._work = work
        self._client = client
        self._fail = fail
        self._asks: Sequence[Ask] = ()
        self._calls: Round | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Ask the shards. Raises TooComplexError."""
        try:
            self._asks = self._merging.asks()
            calls = self._conductor.start(self._asks, self._work, self._merging.flow_bytes_min)
        except BaseException:
            self._work.holding.close()
            raise
        self._calls = calls
        calls.then = self._take
        calls.done.add_done_callback(self._go_on)

    def cancel(self) -> None:
        """The client has left."""
        if self._task is not None:
            self._task.cancel()
        if (calls := self._handed_over()) is not None:  # also where the task has not begun yet
            self._end(calls)

    def step(self) -> bool:
        """Make the page: its turn has come. False: there is nothing more to do in turns."""
        calls = self._calls
        if calls is not None and not calls.done.done() and not self._make(calls):
            calls.done.set_result(False)
        return False

    def _take(self) -> bool:
        """Every shard has replied. False: the task must decide."""
        calls = self._calls
        if calls is None:
            return False
        if self._conductor.turns.paces:
            self._conductor.turns.add(self, self._work.rank)
            return True
        return self._make(calls)

    def _make(self, calls: Round) -> bool:
        try:
            reply = self._merged(calls)
        except Exception as error:
            self._handed_over()
            self._end(calls)
            self._fail(error)
            return True
        if reply is None:
            return False
        self._handed_over()
        self._end(calls)
        if len(reply.body) <= WRITE_BUFFER_BYTES_MAX:
            self._client.send(reply)
        else:
            self._task = tasks.start(self._deliver(reply), "request")
        return True

    def _merged(self, calls: Round) -> Reply | None:
        replies = calls.replies()
        if replies is None or calls.size >= FLOW_BYTES_MIN or self._conductor.packs:
            return None
        reply = self._merging.at_once(replies)
        if reply is None:
            return None
        return self._conductor.finished(self._plan, self._work, self._asks, replies, reply)

    def _go_on(self, done: "asyncio.Future[bool]") -> None:
        if not done.cancelled():
            done.exception()  # looked at, also where the task is cancelled before it begins
        if self._calls is not None:
            self._task = tasks.start(self._rest(), "request")

    async def _rest(self) -> None:
        calls = self._handed_over()
        if calls is None:
            return
        try:
            await self._conductor.gather(self._plan, self._work, self._client, calls)
        except Exception as error:
            self._fail(error)

    async def _deliver(self, reply: Reply) -> None:
        """Send a reply that is too long to be sent at once."""
        try:
            await self._conductor.deliver(reply, self._plan.request, self._client)
        except Exception as error:
            self._fail(error)

    def _handed_over(self) -> Round | None:
        """The round, which goes on without this, or is over. Reference cycles are broken, to leave no garbage."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.then = None
            calls.done.remove_done_callback(self._go_on)
        return calls

    def _end(self, calls: Round) -> None:
        calls.cancel()
        self._work.holding.close()
        self._work.exchange.upstream_s += now() - calls.began_at
