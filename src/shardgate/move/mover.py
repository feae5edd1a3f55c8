"""Moves tenants from one shard to another, phase by phase (core/moving names them).

Holds: the rows are written to the target and deleted from the source by one transaction each, and both are committed
while gateways hold lists and searches; so no list shows a row twice, or lacks it. What changes at the source until
then is caught by triggers, whoever changes it; a change that would be lost finds no row there any more.
Never: goes on after a fence that not all living workers have acknowledged.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from shardgate.core.moving import FENCES, RECOVERIES, Phase
from shardgate.move.checks import objections
from shardgate.move.database import PREFIX, ShardDatabase
from shardgate.move.errors import MoveFailedError, MoveRefusedError, NotNowError
from shardgate.move.gateways import Gateways
from shardgate.move.request import MoveSettings
from shardgate.move.shards import Division, open_shard, read_division
from shardgate.move.staging import Staging
from shardgate.move.tables import MovedTable, moved_tables
from shardgate.split.database import sql
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.rows import TableDigest, digest_of
from shardgate.store.journal import Journal
from shardgate.store.leases import Leases
from shardgate.store.movements import Movement, Movements, Told
from shardgate.store.sqlite import SqliteStore, StoreError

_ROUNDS_MAX: Final = 20
_FEW: Final = 200  # changed rows: the rest is copied while the tenants' changes wait
_FENCED_S: Final = 2.0  # how long changes wait for those under way before the fence is taken down again
_CLOSED_S: Final = 1.0
_FLIPPED_S: Final = 8.0  # less than requests may wait
_TRIES: Final = 30
_REST_S: Final = 0.2
_REST_S_MAX: Final = 5.0
_FINISH_S: Final = 60.0

Report = Callable[[Movement, Told], None]


class Mover:
    """One process that moves tenants. It holds the lease `move` as long as it lives."""

    def __init__(self, settings: MoveSettings, report: Report) -> None:
        """Raises MoveRefusedError where another mover is at work."""
        self._settings = settings
        self._report = report
        self._store = SqliteStore(settings.store)
        self._movements = Movements(self._store)
        self._leases = Leases(settings.store)
        if not self._leases.lead("move"):
            current = self._movements.current()
            by = "another process" if current is None else f"{current.told.by} (movement {current.id})"
            self.close()
            raise MoveRefusedError([f"{by} moves tenants now. Wait for it: shardgate move --status"])
        self._gateways = Gateways(self._movements, self._leases)

    def close(self) -> None:
        """Give the lease up."""
        self._store.close()
        self._leases.close()

    def move(self, tenants: Sequence[str], target: str) -> list[Movement]:
        """Move tenants, those of one shard together. Raises MoveError."""
        by_source = self._by_source(tenants, target)
        done = []
        for source, names in by_source.items():
            movement = self._begin(source, target, names)
            done.append(self._carry(movement))
        return done

    def resume(self) -> Movement:
        """Go on with the movement that is not over. Raises MoveError."""
        movement = self._movements.current()
        if movement is None:
            raise MoveRefusedError(["no movement is under way"])
        self._movements.seize(movement.id, self._leases.worker)
        return self._carry(self._current(movement.id))

    def abandon(self) -> Movement:
        """Give up the movement that is not over, as long as that leaves no trace. Raises MoveError."""
        movement = self._movements.current()
        if movement is None:
            raise MoveRefusedError(["no movement is under way"])
        self._movements.seize(movement.id, self._leases.worker)
        movement = self._current(movement.id)
        if RECOVERIES[movement.phase] == "forward":
            raise MoveRefusedError(
                [f"movement {movement.id} has gone too far to be given up: resume it, then move the tenant back"]
            )
        work = self._work(movement)
        try:
            if RECOVERIES[movement.phase] == "look":
                work.take_back()
            work.source.release()
        finally:
            work.close()
        return self._end(movement, "abandoned", "given up by an operator")

    def _by_source(self, tenants: Sequence[str], target: str) -> dict[str, list[str]]:
        if target not in self._settings.shards:
            raise MoveRefusedError(
                [f"--to {target}: there is no such shard. There are {', '.join(self._settings.shards)}"]
            )
        known = self._store.read(self._settings.space)
        problems = [
            f"{each}: the directory has no such tenant in {self._settings.space}"
            if each not in known
            else f"{each}: is on {target} already"
            for each in tenants
            if known.get(each, target) == target
        ]
        if problems:
            raise MoveRefusedError(problems)
        found: dict[str, list[str]] = {}
        for each in dict.fromkeys(tenants):
            found.setdefault(known[each], []).append(each)
        return found

    def _begin(self, source: str, target: str, tenants: Sequence[str]) -> Movement:
        """Check everything, then note the movement."""
        if (other := self._movements.current()) is not None:
            raise MoveRefusedError(
                [
                    f"movement {other.id} of {', '.join(other.tenants)} from {other.source} to {other.target} is not over"
                    f" (phase {other.phase}). Run shardgate move --resume, or --abandon"
                ]
            )
        work = _Work(self._settings, source, target, tenants)
        try:
            problems = objections((source, target), work.source, work.target, work.division, work.tables, tenants)
            if problems:
                raise MoveRefusedError(problems)
        finally:
            work.close()
        try:
            movement = self._movements.begin(
                self._settings.space, tenants, source, target, self._leases.worker, time.time()
            )
        except StoreError as error:
            raise MoveRefusedError([str(error)]) from error
        told = Told(by=f"process {os.getpid()} on {socket.gethostname()}")
        self._movements.tell(movement.id, told)
        return self._current(movement.id)

    def _carry(self, movement: Movement) -> Movement:
        """All phases that are left."""
        work: _Work | None = None
        try:
            work = self._work(movement)
            recovery = RECOVERIES[movement.phase]
            if recovery == "look":
                work.take_back()
            if recovery == "forward":
                return self._finish(movement, work)
            return self._try(movement, work)
        except (*DRIVER_ERRORS, OSError) as error:
            raise self._failed(movement, f"{type(error).__name__}: {error}") from error
        finally:
            if work is not None:
                work.close()

    def _try(self, movement: Movement, work: "_Work") -> Movement:
        """From the copy on; the fence goes up as often as it takes."""
        told = movement.told
        told.rows, told.why = work.count(), ""
        self._enter(movement, "copying")
        work.source.capture(work.tables)
        work.staging.clear()
        for count in work.copy():
            told.copied += count
            self._tell(movement, told)
            self._heed(movement, work)
        rest_s = _REST_S
        for _ in range(_TRIES):
            self._enter(movement, "catching_up")
            for _ in range(_ROUNDS_MAX):
                self._heed(movement, work)
                if work.catch_up() <= _FEW:
                    break
            try:
                return self._switch(movement, work, told)
            except NotNowError as error:
                work.rollback()
                self._enter(movement, "catching_up")
                told.why = str(error)
                self._tell(movement, told)
                time.sleep(rest_s)
                rest_s = min(rest_s * 1.5, _REST_S_MAX)
        raise self._failed(movement, f"it did not succeed in {_TRIES} tries: {told.why}")

    def _switch(self, movement: Movement, work: "_Work", told: Told) -> Movement:
        """From the fence to the end. Raises NotNowError as long as nothing can be seen of it."""
        began_at = time.monotonic()
        self._publish(movement, work)
        turn = self._enter(movement, "fenced")
        self._gateways.await_turn(turn, _FENCED_S)
        self._await_journal(movement)
        work.catch_up()
        work.load()
        work.unload()
        turn = self._enter(movement, "closed")
        self._gateways.await_turn(turn, _CLOSED_S)
        self._enter(movement, "committing")
        work.target.commit()
        turn = self._movements.flip(self._current(movement.id), work.moved)
        try:
            self._gateways.await_turn(turn, _FLIPPED_S)
        except NotNowError as error:
            raise self._failed(movement, str(error)) from error
        work.source.commit()
        self._enter(movement, "releasing")
        told.held_s = max(told.held_s, time.monotonic() - began_at)
        self._tell(movement, told)
        return self._release(movement, work)

    def _finish(self, movement: Movement, work: "_Work") -> Movement:
        """What is left of a movement whose target owns the tenants."""
        if movement.phase == "flipped":
            turn = self._enter(movement, "flipped")
            try:
                self._gateways.await_turn(turn, _FINISH_S)
            except NotNowError as error:
                raise self._failed(movement, str(error)) from error
            work.purge()
            self._enter(movement, "releasing")
        return self._release(movement, work)

    def _release(self, movement: Movement, work: "_Work") -> Movement:
        work.source.release()
        return self._end(movement, "done", "")

    def _end(self, movement: Movement, phase: Phase, why: str) -> Movement:
        told = self._current(movement.id).told
        told.why = why
        self._movements.tell(movement.id, told)
        self._movements.publish(movement.id, b"")
        self._movements.enter(movement.id, self._leases.worker, phase, "open", time.time())
        ended = self._current(movement.id)
        self._report(ended, told)
        return ended

    def _publish(self, movement: Movement, work: "_Work") -> None:
        work.moved = work.learnable()
        self._movements.publish(movement.id, msgspec.msgpack.encode(sorted(work.moved)))

    def _await_journal(self, movement: Movement) -> None:
        """Return once no change that had begun before the fence is still to be made on the source."""
        until = time.monotonic() + _FENCED_S
        with SqliteStore(self._settings.journal) as store:
            journal = Journal(store)
            last = journal.last()
            while journal.waits_for(movement.source, last):
                if time.monotonic() > until:
                    raise NotNowError(f"changes in the journal are not over on {movement.source}")
                time.sleep(0.005)

    def _heed(self, movement: Movement, work: "_Work") -> None:
        """Do what an operator wants."""
        while (current := self._current(movement.id)).wish == "pause":
            time.sleep(0.1)
        if current.wish == "abandon":
            work.rollback()
            work.source.release()
            self._end(movement, "abandoned", "given up by an operator")
            raise MoveFailedError([f"movement {movement.id} was given up"])

    def _enter(self, movement: Movement, phase: Phase) -> int:
        return self._movements.enter(movement.id, self._leases.worker, phase, FENCES[phase])

    def _tell(self, movement: Movement, told: Told) -> None:
        self._movements.tell(movement.id, told)
        self._report(self._current(movement.id), told)

    def _failed(self, movement: Movement, why: str) -> MoveFailedError:
        current = self._current(movement.id)
        if RECOVERIES[current.phase] == "again":
            self._enter(movement, "catching_up")
        told = current.told
        told.why = why
        self._movements.tell(movement.id, told)
        return MoveFailedError(
            [f"movement {movement.id} of {', '.join(movement.tenants)} stands still in phase {current.phase}: {why}"]
        )

    def _current(self, number: int) -> Movement:
        found = self._movements.find(number)
        if found is None:
            raise MoveFailedError([f"movement {number} is not in {self._settings.store} any more"])
        return found

    def _work(self, movement: Movement) -> "_Work":
        return _Work(self._settings, movement.source, movement.target, movement.tenants)


class _Work:
    """The databases of both shards, and the rows on their way."""

    def __init__(self, settings: MoveSettings, source: str, target: str, tenants: Sequence[str]) -> None:
        self.division: Division = read_division(settings, source)
        self.source: ShardDatabase = open_shard(settings, source)
        try:
            self.target: ShardDatabase = open_shard(settings, target)
        except MoveRefusedError:
            self.source.close()
            raise
        self.staging = Staging()
        self.tables = moved_tables(self.division.ownership, self.division.by, tenants, self.source.relation)
        self.moved: frozenset[str] = frozenset()

    def close(self) -> None:
        """Close all; open transactions are undone."""
        self.source.close()
        self.target.close()
        self.staging.close()

    def rollback(self) -> None:
        """Undo what is open in both databases."""
        self.target.rollback()
        self.source.rollback()

    def count(self) -> int:
        """How many rows the tenants have."""
        return sum(_count(self.source, each) for each in self.tables)

    def copy(self) -> Iterator[int]:
        """Keep all rows; yields how many at a time, and rests as long as that took: the shard serves meanwhile."""
        for each in self.tables:
            began_at = time.monotonic()
            for batch in self.source.read(each, each.where):
                self.staging.put(each.number, batch)
                time.sleep(min(_REST_S, time.monotonic() - began_at))
                yield len(batch)
                began_at = time.monotonic()

    def catch_up(self) -> int:
        """Keep the rows that have changed since the last round; returns how many."""
        changed = 0
        for each in self.tables:
            kept = sql.quote(f"{PREFIX}{each.number}")
            if not self.source.query(f"SELECT 1 FROM {kept} LIMIT 1"):  # noqa: S608
                continue
            self.source.begin(snapshot=True)
            try:
                touched = self.source.keys(each, kept)
                columns = sql.listed(each.key)
                own = columns if len(each.key) == 1 else f"({columns})"
                there = f"{each.where} AND {own} IN (SELECT {columns} FROM {kept})"  # noqa: S608
                rows = [row for batch in self.source.read(each, there) for row in batch]
                self.source.run(f"DELETE FROM {kept}")  # noqa: S608
                self.source.commit()
            except BaseException:
                self.source.rollback()
                raise
            self.staging.drop(each.number, set(touched).difference(key for key, _ in rows))
            self.staging.put(each.number, rows)
            changed += len(touched)
        return changed

    def learnable(self) -> frozenset[str]:
        """The values by which the gateway may have learned where a row is: those of unique columns."""
        found: set[str] = set()
        for each in self.tables:
            for columns in self.source.unique_keys(each):
                for batch in self.source.values(each, columns, each.where):
                    found.update(value for row in batch for value in row)
        return frozenset(found)

    def load(self) -> None:
        """Write all rows to the target, and read them back, in a transaction that stays open."""
        self.target.begin()
        for each in self.tables:
            for batch in self.staging.rows(each.number):
                self.target.write(each, batch)
            self.target.follow_counters(each, each.where)
        for each in self.tables:
            wanted, got = self.staging.digest(each.number), _digest(self.target, each)
            if wanted != got:
                raise NotNowError(f"{each.name}: the target has {got.rows} rows instead of {wanted.rows}, or others")

    def unload(self) -> None:
        """Delete all rows from the source, in a transaction that stays open, if nothing has changed since."""
        self.source.begin()
        self.source.pass_over_own_changes()
        for each in self.tables:
            wanted, got = self.staging.digest(each.number), _digest(self.source, each)
            if wanted != got:
                raise NotNowError(f"{each.name}: has changed at the source while its changes were held")
        self._delete(self.source)
        for each in self.tables:
            if self.source.query(f"SELECT 1 FROM {sql.quote(f'{PREFIX}{each.number}')} LIMIT 1"):  # noqa: S608
                raise NotNowError(f"{each.name}: has changed at the source while its changes were held")

    def purge(self) -> None:
        """Delete what the source still has of tenants that the target owns."""
        self.source.begin()
        try:
            self._delete(self.source)
            self.source.commit()
        except BaseException:
            self.source.rollback()
            raise

    def take_back(self) -> None:
        """Delete what the target may have of tenants that the source owns."""
        self.target.begin()
        try:
            self._delete(self.target)
            self.target.commit()
        except BaseException:
            self.target.rollback()
            raise

    def _delete(self, database: ShardDatabase) -> None:
        # Each condition reads the parents' rows: children go first.
        for each in reversed(self.tables):
            database.run(f"DELETE FROM {database.relation(each.name)} WHERE {each.where}")  # noqa: S608


def _count(database: ShardDatabase, table: MovedTable) -> int:
    ((count,),) = database.query(f"SELECT count(*) FROM {database.relation(table.name)} WHERE {table.where}")  # noqa: S608
    return int(str(count))


def _digest(database: ShardDatabase, table: MovedTable) -> TableDigest:
    total = TableDigest()
    for batch in database.read(table, table.where):
        total += digest_of([row for _, row in batch])
    return total
