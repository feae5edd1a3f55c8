"""A worker that follows the movements of tenants: it holds what a movement says, and acknowledges that.

Holds: a worker acknowledges a turn once what that turn holds is held, and requests of that kind that were under way
before are over; after a flip, once the source has begun its replies to the reads that it had got, and the worker serves
by the new directory and has forgotten what it learned of the rows that moved. A worker that
cannot read the store keeps the fence that it has. One whose lease has ended is not waited for, and refuses changes,
also while it still waits for an answer of the store. It looks often while there is a movement, and rarely otherwise.
Never: moves anything, or acknowledges a movement to a shard that it does not know.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import msgspec

from shardgate.core.changes.moving import fence_of
from shardgate.core.errors import StoreUnavailableError
from shardgate.core.exchange import Exchange
from shardgate.core.http import SAFE_METHODS
from shardgate.engine.cluster import Cluster
from shardgate.engine.handler import Gateway
from shardgate.net import tasks
from shardgate.store.movements import Movement
from shardgate.store.writer import Writer

IDLE_S: Final = 0.25
BUSY_S: Final = 0.005
"""How soon a worker sees the next phase of a movement."""
_SLICE: Final = 2000
"""How many learned keys are looked at in one turn of the loop: 0.3 ms."""
_NO_TURN: Final = (0, 0, "open")

_log = logging.getLogger("shardgate")


class MovementFollower:
    """The movements as one worker sees them."""

    __slots__ = (
        "_catch_up",
        "_cluster",
        "_forgotten",
        "_gateway",
        "_is_own",
        "_is_registered",
        "_problem",
        "_turn",
        "_unknown",
        "_writer",
    )

    def __init__(
        self,
        writer: Writer,
        cluster: Cluster,
        gateway: Gateway,
        catch_up: Callable[[], Awaitable[None]],
        *,
        is_own: bool,
    ) -> None:
        """`writer`: of the directory's store; `is_own`: nobody else uses it. `catch_up`: look at the directory now."""
        self._writer = writer
        self._is_own = is_own
        self._cluster = cluster
        self._gateway = gateway
        self._catch_up = catch_up
        self._is_registered = False
        self._problem = ""
        self._turn: tuple[int, int, str] = _NO_TURN
        self._forgotten = 0
        self._unknown = ""

    async def start(self) -> None:
        """Take the lease, note this worker, and look: whoever moves waits for it from now on."""
        with suppress(StoreUnavailableError):  # said by the look
            await self._writer.run(self._writer.leases.retake)
        await self._follow_once()

    async def follow(self) -> None:
        """Follow, as long as the worker lives."""
        watching = tasks.start(self._watch_lease(), "lease")
        try:
            is_busy = False
            while True:
                await asyncio.sleep(BUSY_S if is_busy else IDLE_S)
                is_busy = await self._follow_once()
        finally:
            watching.cancel()

    async def _watch_lease(self) -> None:
        """A look waits for a silent store longer than the lease lasts."""
        while True:
            await asyncio.sleep(IDLE_S)
            self._cut_off()

    async def _follow_once(self) -> bool:
        try:
            is_busy = await self._look()
        except StoreUnavailableError as error:
            if error.log != self._problem:
                self._problem = error.log
                _log.error(
                    "movements in %s cannot be followed, so that none is made: %s", self._writer.place, error.log
                )
            self._is_registered = False
            self._cut_off()
            return False
        self._problem = ""
        return is_busy

    def close(self) -> None:
        """The worker serves no more."""
        if self._is_own:
            self._writer.close()

    @property
    def _epoch(self) -> int:
        return self._cluster.snapshot.known.topology.epoch

    async def _look(self) -> bool:
        """Take over what the store says; returns whether there is a movement."""
        writer, fence = self._writer, self._gateway.fence
        if not writer.leases.holds():
            self._cut_off()
            return True
        if not self._is_registered:
            self._is_registered = True
            await writer.run(writer.movements.register, writer.leases.worker, self._epoch)
            await self._catch_up()
        movement, lives = await writer.run(self._read)
        if movement is None:
            if fence.is_up:
                await self._catch_up()
                if not self._is_registered:  # the lease has ended meanwhile
                    return True
                fence.put("open")
            return False
        level = fence_of(movement.phase, lives=lives)
        turn = (movement.id, movement.turn, level)
        if turn != self._turn:
            if level == "open" or movement.phase == "flipped":
                await self._catch_up()
            if not self._is_registered:
                return True
            self._turn = turn
            fence.put(level, movement.space, movement.tenants, movement.source)
            tasks.start(self._comply(movement, turn), "movement")
        return True

    def _read(self) -> tuple[Movement | None, bool]:
        movement = self._writer.movements.current()
        return movement, movement is not None and self._writer.leases.lives(movement.owner)

    def _cut_off(self) -> None:
        """Nobody waits for this worker any more, where its lease has ended: it may route by an old map."""
        if not self._writer.leases.holds():
            self._turn, self._is_registered = _NO_TURN, False
            self._gateway.fence.put("cut_off")

    async def _comply(self, movement: Movement, turn: tuple[int, int, str]) -> None:
        """Wait until what was under way before this turn is over, then acknowledge it."""
        if movement.target not in self._cluster.snapshot.known.topology.shards:
            self._wait_for_reload(movement)
            return
        earlier = self._gateway.under_way(_concerned_by(movement, self._gateway.fence.since_s))
        # What begins behind the fence is of others, and may wait for the mover's own transactions.
        changes = self._gateway.changes_under_way() if movement.phase == "fenced" else []
        while earlier or changes:
            await asyncio.sleep(BUSY_S / 2)
            if self._turn != turn:
                return
            earlier = [each for each in earlier if not _is_over(each, movement) and not self._gateway.fence.waits(each)]
            changes = [each for each in changes if not each.done()]
        writer = self._writer
        try:
            if movement.phase in {"flipped", "releasing"} and self._forgotten != movement.id:
                await self._forget(movement)
            if movement.phase == "flipped" and await writer.run(writer.movements.epoch) > self._epoch:
                self._turn = _NO_TURN  # the directory could not be read: again at the next look
                return
            await writer.run(writer.movements.acknowledge, writer.leases.worker, self._epoch, movement.turn)
        except StoreUnavailableError as error:
            _log.error("a movement cannot be acknowledged: %s", error.log)
            self._turn = _NO_TURN

    def _wait_for_reload(self, movement: Movement) -> None:
        """Lists would lack what is on a shard that is not known: nothing is acknowledged."""
        if self._unknown != movement.target:
            self._unknown = movement.target
            _log.error(
                "movement %d is not acknowledged: this gateway does not know its target %s. Name it in `shards` of"
                " shardgate.yaml, and reload the gateway: kill -HUP",
                movement.id,
                movement.target,
            )
        self._turn = _NO_TURN

    async def _forget(self, movement: Movement) -> None:
        """Forget which shard has the rows that moved."""
        packed = await self._writer.run(self._writer.movements.keys, movement.id)
        moved = frozenset(msgspec.msgpack.decode(packed, type=list[str])) if packed else frozenset[str]()
        memory = self._cluster.snapshot.known.memory
        for number, (space, key) in enumerate(memory.entries()):
            if key in moved:
                memory.forget(space, key)
            if not (number + 1) % _SLICE:
                await asyncio.sleep(0)
        self._forgotten = movement.id


def _concerned_by(movement: Movement, fenced_since_s: float) -> Callable[[Exchange], bool]:
    """Which requests must be over before the movement may go on."""

    def changes(each: Exchange) -> bool:
        if _is_still_coming(each) or not _may_change(each):
            return False
        return movement.source in each.shards or len(each.shards) != 1

    def gathers(each: Exchange) -> bool:
        if _is_still_coming(each) or (_may_change(each) and each.began_at > fenced_since_s):
            return False  # a change that began behind the fence is of others: it, or one before it, may wait for a lock
        return _only_reads(each) or len(each.shards) != 1 or each.calls > 1

    def reads_of_source(each: Exchange) -> bool:
        # A change is of others, and may wait at the source until the mover's transaction there is over.
        return movement.source in each.shards and not _is_over(each, movement) and not _may_change(each)

    if movement.phase == "fenced":
        return changes
    if movement.phase == "flipped":
        return reads_of_source
    return gathers if movement.fence == "closed" else _nothing


def _is_over(each: Exchange, movement: Movement) -> bool:
    """A reply that has begun was read before the rows go."""
    return bool(each.ended_at or (movement.phase == "flipped" and each.first_byte_at))


def _is_still_coming(each: Exchange) -> bool:
    return each.request is None or (each.request.arriving and not each.shards)


def _may_change(each: Exchange) -> bool:
    return each.request is not None and each.request.method not in SAFE_METHODS and not _only_reads(each)


def _only_reads(each: Exchange) -> bool:
    return each.route is not None and each.route.rule is not None and each.route.rule.only_reads


def _nothing(_: Exchange) -> bool:
    return False
