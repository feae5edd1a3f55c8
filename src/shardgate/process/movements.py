"""A worker that follows the movements of tenants: it holds what a movement says, and acknowledges that.

Holds: a worker acknowledges a turn once what that turn holds is held, and what was under way before is over; after a
flip, once it serves by the new directory and has forgotten what it learned of the rows that moved. A worker that
cannot read the store keeps the fence that it has. It looks often while there is a movement, and rarely otherwise.
Never: moves anything.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from shardgate.core.exchange import Exchange
from shardgate.core.http import SAFE_METHODS
from shardgate.core.moving import fence_of
from shardgate.core.rules.gather import Gather
from shardgate.engine.cluster import Cluster
from shardgate.engine.handler import Gateway
from shardgate.net import tasks
from shardgate.store.leases import Leases
from shardgate.store.movements import Movement, Movements
from shardgate.store.sqlite import READER_BUSY_MS, SqliteStore

IDLE_S: Final = 0.25
BUSY_S: Final = 0.005
"""How soon a worker sees the next phase of a movement. A look takes 20 µs."""
_SLICE: Final = 2000
"""How many learned keys are looked at in one turn of the loop: 0.3 ms."""

_log = logging.getLogger("shardgate")


class MovementFollower:
    """The movements as one worker sees them."""

    __slots__ = ("_cluster", "_forgotten", "_gateway", "_leases", "_path", "_refresh", "_store", "_thread", "_turn")

    def __init__(self, path: Path, cluster: Cluster, gateway: Gateway, refresh: Callable[[], bool]) -> None:
        self._path = path
        self._cluster = cluster
        self._gateway = gateway
        self._refresh = refresh
        self._store = SqliteStore(path, busy_ms=READER_BUSY_MS)
        self._leases = Leases(path)
        self._thread = ThreadPoolExecutor(1, "movements")
        self._turn = (0, 0, "open")
        self._forgotten = 0

    def register(self) -> None:
        """Note this worker, then look: whoever moves waits for it from now on."""
        try:
            Movements(self._store).register(self._leases.worker, self._epoch)
        except sqlite3.Error as error:
            _log.error("this worker cannot be noted in %s, so no tenant can be moved past it: %s", self._path, error)
        self._refresh()
        self._look()

    async def follow(self) -> None:
        """Follow, as long as the worker lives."""
        while True:
            busy = self._look()
            await asyncio.sleep(BUSY_S if busy else IDLE_S)

    def close(self) -> None:
        """The worker serves no more."""
        self._thread.shutdown()
        self._store.close()
        self._leases.close()

    @property
    def _epoch(self) -> int:
        return self._cluster.snapshot.known.topology.epoch

    def _look(self) -> bool:
        """Take over what the store says; returns whether there is a movement."""
        try:
            movement = Movements(self._store).current()
        except sqlite3.Error as error:
            _log.error("movements cannot be read: %s", error)
            return False
        fence = self._gateway.fence
        if movement is None:
            if fence.is_up:
                self._refresh()
                fence.put("open", "", (), "")
            return False
        level = fence_of(movement.phase, lives=self._leases.lives(movement.owner))
        turn = (movement.id, movement.turn, level)
        if turn != self._turn:
            self._turn = turn
            self._refresh()
            fence.put(level, movement.space, movement.tenants, movement.source)
            tasks.start(self._comply(movement, turn), "movement")
        return True

    async def _comply(self, movement: Movement, turn: tuple[int, int, str]) -> None:
        """Wait until what was under way before this turn is over, then acknowledge it."""
        earlier = self._gateway.under_way(_concerned_by(movement))
        changes = self._gateway.changes_under_way() if movement.fence != "open" else []
        if movement.phase in {"flipped", "releasing"} and self._forgotten != movement.id:
            await self._forget(movement)
        while earlier or changes:
            await asyncio.sleep(BUSY_S / 2)
            if self._turn != turn:
                return
            earlier = [each for each in earlier if not each.ended_at and not self._gateway.fence.waits(each)]
            changes = [each for each in changes if not each.done()]
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._acknowledge, turn[1])
        except (sqlite3.Error, RuntimeError) as error:
            _log.error("a movement cannot be acknowledged: %s", error)
            self._turn = (0, 0, "open")  # again at the next look

    def _acknowledge(self, turn: int) -> None:
        with SqliteStore(self._path) as store:
            Movements(store).acknowledge(self._leases.worker, self._epoch, turn)

    async def _forget(self, movement: Movement) -> None:
        """Forget which shard has the rows that moved."""
        self._forgotten = movement.id
        packed = Movements(self._store).keys(movement.id)
        moved = frozenset(msgspec.msgpack.decode(packed, type=list[str])) if packed else frozenset[str]()
        memory = self._cluster.snapshot.known.memory
        for number, (space, key) in enumerate(memory.entries()):
            if key in moved:
                memory.forget(space, key)
            if not (number + 1) % _SLICE:
                await asyncio.sleep(0)


def _concerned_by(movement: Movement) -> Callable[[Exchange], bool]:
    """Which requests must be over before the movement may go on."""

    def changes(each: Exchange) -> bool:
        request = each.request
        if request is None or request.method in SAFE_METHODS or (request.arriving and not each.shards):
            return False
        rule = None if each.route is None else each.route.rule
        if rule is not None and rule.only_reads:
            return False
        return movement.source in each.shards or len(each.shards) != 1

    def gathers(each: Exchange) -> bool:
        request = each.request
        if request is None or (request.arriving and not each.shards):
            return False
        rule = None if each.route is None else each.route.rule
        return isinstance(rule, Gather) or len(each.shards) != 1 or each.calls > 1

    def reads_of_source(each: Exchange) -> bool:
        return movement.source in each.shards and not each.first_byte_at

    if movement.phase == "fenced":
        return changes
    if movement.phase == "flipped":
        return reads_of_source
    return gathers if movement.fence == "closed" else _nothing


def _nothing(_: Exchange) -> bool:
    return False
