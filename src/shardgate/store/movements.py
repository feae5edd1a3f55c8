"""Stores the movements of tenants, and how far each worker has followed them.

A *turn* is a number that grows with each change of a fence. A worker acknowledges a turn once it holds what that turn
says, and what was under way before is over. The mover goes on when all living workers have acknowledged.

Holds: one movement at most is not over. The directory, the parts and the phase change in one transaction.
Never: decides what comes next; core/changes/moving does.
"""

import json
from collections.abc import Collection, Sequence
from typing import cast

import msgspec

from shardgate.core.changes.moving import Fencing, Phase
from shardgate.core.topology import ShardId
from shardgate.store import directory_table
from shardgate.store.database import Store, StoreError
from shardgate.store.idempotency import move_names, named_on

_COLUMNS = "id, space, tenants, source, target, phase, wish, fence, turn, owner, told, began_at, ended_at"

_MOVER = "mover: "


class MovementReport(msgspec.Struct):
    """What an operator is shown of a movement."""

    rows: int = 0
    """Of the tenants, as they were counted."""
    copied: int = 0
    by: str = ""
    """Who moves: host and process."""
    held_s: float = 0.0
    """How long changes of the tenants waited, at the most."""
    steps_s: dict[str, float] = {}
    """How long each step behind the fence took, when they waited longest."""
    why: str = ""
    """Why it stands still, or was given up."""
    late: str = ""
    """Rows that somebody changed at the source after the target had them; they were deleted there as they were then."""


class Movement(msgspec.Struct, frozen=True):
    """One movement, as it is stored."""

    id: int
    space: str
    tenants: tuple[str, ...]
    source: ShardId
    target: ShardId
    phase: Phase
    wish: str
    """What an operator wants: `go`, `pause` or `abandon`."""
    fence: Fencing
    turn: int
    owner: str
    """The mover's lease."""
    told: MovementReport
    began_at: float
    ended_at: float


class Acknowledged(msgspec.Struct, frozen=True):
    """How far a worker has come."""

    worker: str
    epoch: int
    turn: int


class Movements:
    """The table of movements, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(
        self, space: str, tenants: Sequence[str], source: ShardId, target: ShardId, owner: str, at: float
    ) -> Movement:
        """Store a new movement. Raises StoreError where another is not over."""
        with self._store.transaction():
            if (other := self.current()) is not None:
                raise StoreError(
                    f"movement {other.id} of {', '.join(other.tenants)} is not over (phase {other.phase}, by"
                    f" {other.told.by}). Wait for it, or run `shardgate move --resume` or `--abandon`"
                )
            (number,) = self._store.execute(
                "INSERT INTO movements (space, tenants, source, target, phase, wish, fence, turn, owner, keys, told,"
                " began_at) VALUES (?, ?, ?, ?, 'copying', 'go', 'open', ?, ?, ?, ?, ?) RETURNING id",
                (space, json.dumps([*tenants]), source, target, self._turn(), owner, b"", "{}", at),
            ).fetchone()
        found = self.find(number)
        if found is None:
            raise StoreError(f"movement {number} was not stored")
        return found

    def find(self, number: int) -> Movement | None:
        """The movement with a number."""
        row = self._store.execute(
            f"SELECT {_COLUMNS} FROM movements WHERE id = ?",  # noqa: S608 - constants
            (number,),
        ).fetchone()
        return None if row is None else _movement(row)

    def current(self) -> Movement | None:
        """The movement that is not over."""
        row = self._store.execute(
            f"SELECT {_COLUMNS} FROM movements WHERE ended_at = 0 ORDER BY id LIMIT 1"  # noqa: S608 - constants
        ).fetchone()
        return None if row is None else _movement(row)

    def last(self, count: int) -> list[Movement]:
        """The last movements, the newest first."""
        rows = self._store.execute(
            f"SELECT {_COLUMNS} FROM movements ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
            (count,),
        )
        return [_movement(row) for row in rows]

    def seize(self, number: int, owner: str) -> None:
        """Take a movement over from a mover that is dead."""
        with self._store.transaction():
            self._store.execute("UPDATE movements SET owner = ?, wish = 'go' WHERE id = ?", (owner, number))

    def enter(self, number: int, owner: str, phase: Phase, fence: Fencing, ended_at: float = 0.0) -> int:
        """Store the next phase; returns its turn. Raises StoreError where another mover has the movement."""
        with self._store.transaction():
            return self._enter(number, owner, phase, fence, ended_at)

    def flip(self, movement: Movement, moved: Collection[str]) -> int:
        """Make the target the owner of the tenants, and of the parts with these ids; returns the turn."""
        with self._store.transaction():
            turn = self._enter(movement.id, movement.owner, "flipped", "closed", 0.0)
            self._store.record(movement.space, [(tenant, movement.target) for tenant in movement.tenants])
            self._move_parts(movement, moved)
            move_names(self._store, movement.source, movement.target, moved)
            self._store.executemany(
                "UPDATE placements SET shard = ? WHERE space = ? AND shard = ? AND key = ?",
                [(movement.target, movement.space, movement.source, tenant) for tenant in movement.tenants],
            )
            return turn

    def publish(self, number: int, keys: bytes) -> None:
        """Store the keys of the rows that move, for the workers to forget what they have learned of them."""
        with self._store.transaction():
            self._store.execute("UPDATE movements SET keys = ? WHERE id = ?", (keys, number))

    def keys(self, number: int) -> bytes:
        """The keys of the rows that move, as they were published."""
        row = self._store.execute("SELECT keys FROM movements WHERE id = ?", (number,)).fetchone()
        return b"" if row is None else bytes(row[0])

    def tell(self, number: int, told: MovementReport) -> None:
        """Store what an operator is shown."""
        with self._store.transaction():
            self._store.execute(
                "UPDATE movements SET told = ? WHERE id = ?", (msgspec.json.encode(told).decode(), number)
            )

    def wish(self, number: int, wish: str) -> None:
        """Store what an operator wants of a movement that is not over."""
        with self._store.transaction():
            self._store.execute("UPDATE movements SET wish = ? WHERE id = ? AND ended_at = 0", (wish, number))

    def register(self, worker: str, epoch: int) -> None:
        """Note a new worker. It must look at movements and at the directory after this, before it serves."""
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO workers (worker, epoch, turn) VALUES (?, ?, 0) ON CONFLICT (worker) DO NOTHING",
                (worker, epoch),
            )

    def acknowledge(self, worker: str, epoch: int, turn: int) -> None:
        """Note that a worker serves by this epoch and complies with this turn."""
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO workers (worker, epoch, turn) VALUES (?, ?, ?)"
                " ON CONFLICT (worker) DO UPDATE SET epoch = excluded.epoch, turn = excluded.turn",
                (worker, epoch, turn),
            )

    def epoch(self) -> int:
        """The epoch of the directory."""
        return self._store.epoch()

    def workers(self) -> list[Acknowledged]:
        """All workers that were noted, dead or alive."""
        rows = self._store.execute("SELECT worker, epoch, turn FROM workers ORDER BY worker")
        return [Acknowledged(*row) for row in rows]

    def forget(self, workers: Collection[str]) -> None:
        """Delete what dead workers have left."""
        with self._store.transaction():
            for worker in workers:
                self._store.execute("DELETE FROM workers WHERE worker = ?", (worker,))

    def note_mover(self, by: str) -> None:
        """Note who moves tenants, for others to be told; whoever holds the lease does."""
        with self._store.transaction():
            self._store.execute(f"DELETE FROM meta WHERE substr(name, 1, {len(_MOVER)}) = '{_MOVER}'")  # noqa: S608
            self._store.execute("INSERT INTO meta (name, value) VALUES (?, 0)", (_MOVER + by,))

    def noted_mover(self) -> str:
        """Who moves tenants, or did so last; empty: nobody yet."""
        row = self._store.execute(
            f"SELECT name FROM meta WHERE substr(name, 1, {len(_MOVER)}) = '{_MOVER}'"  # noqa: S608
        ).fetchone()
        return "" if row is None else str(row[0]).removeprefix(_MOVER)

    def drain(self, shard: ShardId, *, drains: bool) -> None:
        """Let a shard take no new tenants, or let it again."""
        with self._store.transaction():
            self._store.execute("DELETE FROM draining WHERE shard = ?", (shard,))
            if drains:
                self._store.execute("INSERT INTO draining (shard) VALUES (?)", (shard,))
            self._store.advance()

    def draining(self) -> frozenset[ShardId]:
        """The shards that take no new tenants."""
        return frozenset(shard for (shard,) in self._store.execute("SELECT shard FROM draining"))

    def parts_on(self, shard: ShardId) -> list[str]:
        """The entities of which this shard may have a part."""
        rows = self._store.execute("SELECT key, shards FROM parts WHERE taken_back = 0")
        return [str(key) for key, listed in rows if shard in json.loads(listed)]

    def entities_on(self, shard: ShardId) -> frozenset[str]:
        """The ids of the entities on this shard that are in parts, or that clients have named."""
        return frozenset(self.parts_on(shard)) | frozenset(named_on(self._store, shard))

    def _enter(self, number: int, owner: str, phase: Phase, fence: Fencing, ended_at: float) -> int:
        turn = self._turn()
        done = self._store.execute(
            "UPDATE movements SET phase = ?, fence = ?, turn = ?, ended_at = ? WHERE id = ? AND owner = ? RETURNING id",
            (phase, fence, turn, ended_at, number, owner),
        ).fetchone()
        if done is None:
            raise StoreError(f"movement {number} is another mover's by now")
        return turn

    def _turn(self) -> int:
        """The next turn, in the open transaction."""
        update = "UPDATE meta SET value = value + 1 WHERE name = 'turn' RETURNING value"
        return int(self._store.execute(update).fetchone()[0])

    def _move_parts(self, movement: Movement, moved: Collection[str]) -> None:
        """A part of what was moved is on the target now."""
        found = self._store.execute("SELECT space, key, shards, taken_back FROM parts").fetchall()
        for space, key, listed, taken_back in found:
            shards = json.loads(listed)
            if key not in moved or movement.source not in shards:
                continue
            now = list(dict.fromkeys(movement.target if each == movement.source else each for each in shards))
            self._store.execute(
                "UPDATE parts SET shards = ? WHERE space = ? AND key = ?", (json.dumps(now), space, key)
            )
            value = directory_table.parts_value(now, taken_back=bool(taken_back))
            directory_table.log(self._store, self._store.advance(), directory_table.PARTS, space, key, value)


def _movement(row: tuple[object, ...]) -> Movement:
    number, space, tenants, source, target, phase, wish, fence, turn, owner, told, began_at, ended_at = row
    return Movement(
        int(cast(int, number)),
        str(space),
        tuple(json.loads(str(tenants))),
        str(source),
        str(target),
        cast(Phase, phase),
        str(wish),
        cast(Fencing, fence),
        int(cast(int, turn)),
        str(owner),
        msgspec.json.decode(str(told), type=MovementReport),
        float(cast(float, began_at)),
        float(cast(float, ended_at)),
    )
