"""Equal reads under way at the same time share one gather and its reply.

Holds: requests are equal where everything is that a shard is sent of them: method, target, header lines with
credentials and conditions, the client's address as it is forwarded, the body. A reply that is one client's
(`Set-Cookie`, `private`, `no-store`) goes to the one that asked first; the others ask for themselves. A client that
leaves ends nobody else's request; the last one ends the gather. Who comes after a change gets no reply that was asked
for before it.
Never: keeps a reply that has come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence

from shardgate.core.http import Reply, Request
from shardgate.core.replies.privacy import is_of_one_client
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId, Topology
from shardgate.net.clock import now


def key_of(request: Request, route: Route, hop: bytes, shards: Sequence[ShardId], topology: Topology) -> Hashable:
    """What equal requests have in common. `hop`: the lines that the gateway adds; `shards`: those that are asked.

    The shards and the epoch are in it, since what decides them may be in no line that a shard is sent, and since a
    reply of a shard that a tenant has left since is none for who comes now.
    """
    fields = request.fields
    sent = (request.sent_method, request.target, fields.host, fields.end_to_end, hop, request.body)
    return (route.name, topology.epoch, *shards, *sent)


class SharedGather:
    """One gather, and how many wait for it."""

    __slots__ = ("began_at", "task", "waiting")

    def __init__(self, task: "asyncio.Task[Reply]", began_at: float) -> None:
        self.task = task
        self.began_at = began_at
        self.waiting = 0


class Coalescing:
    """The gathers of one worker that may be shared."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        self._under_way: dict[Hashable, SharedGather] = {}

    def changed(self) -> None:
        """Nobody joins what is under way any more: a change was made."""
        self._under_way.clear()

    async def reply(
        self, key: Hashable, make: Callable[[], Coroutine[object, object, Reply]], alone: Callable[[], Awaitable[Reply]]
    ) -> tuple[Reply, float | None]:
        """The reply to a request, and when its gather began where it is another one's. Raises what the gather raises.

        `make`: gathers for all that are equal. `alone`: for this one, where the reply is another client's.
        """
        shared = self._under_way.get(key)
        is_first = shared is None
        if shared is None:
            shared = self._under_way[key] = SharedGather(asyncio.ensure_future(make()), now())
        shared.waiting += 1
        try:
            reply = await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if self._under_way.get(key) is shared and (shared.task.done() or not shared.waiting):
                del self._under_way[key]
            if not shared.waiting and not shared.task.done():
                shared.task.cancel()
            elif not shared.waiting and not shared.task.cancelled():
                shared.task.exception()  # looked at, also where the last client has left
        if is_first:
            return Reply(reply.status, [*reply.fields], reply.body, reply.reason), None
        if is_of_one_client(reply.fields):
            return await alone(), None
        return Reply(reply.status, [*reply.fields], reply.body, reply.reason), shared.began_at
