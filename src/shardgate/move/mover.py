"""Moves tenants from one shard to another, phase by phase (core/changes/moving names them).

Holds: the rows are written to the target and deleted from the source by one transaction each, and both are committed
while gateways hold lists and searches; so no list shows a row twice, or lacks it. What changes at the source until
then is caught by triggers, whoever changes it; a change that would be lost finds no row there any more.
Never: goes on after a fence that not all living workers have acknowledged.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Final

import msgspec

from shardgate.core.changes.moving import FENCES, RECOVERIES, Phase
from shardgate.move.counting import counting_objections
from shardgate.move.errors import (
    DifferentRowsError,
    GivenUpError,
    MoveFailedError,
    MoverBusyError,
    MoveRefusedError,
    NotNowError,
)
from shardgate.move.gateways import Gateways
from shardgate.move.gently import gently
from shardgate.move.handed_rows import HandedRows
from shardgate.move.judging import judged
from shardgate.move.moving_rows import MovingRows
from shardgate.move.patience import HELD_S_MAX, SwitchPatience, patience
from shardgate.move.request import MoveSettings
from shardgate.move.stopwatch import Stopwatch
from shardgate.net.clock import now, wall
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.store.database import StoreError
from shardgate.store.journal import Journal
from shardgate.store.movements import Movement, MovementReport, Movements
from shardgate.store.opening import open_for_worker, open_store

_LEASE_S: Final = 5.0
_ROUNDS_MAX: Final = 20
_FEW: Final = 200  # changed rows: the rest is copied while the tenants' changes wait
_FOLLOWED_S: Final = 5.0
_FENCED_S: Final = 2.0  # how long changes wait for those under way before the fence is taken down again
_FLIPPED_S: Final = 4.0  # the slowest reads of the source
_OPENED_S: Final = 1.0
_TRIES: Final = 15
_DIFFERENT_MAX: Final = 3
_REST_S: Final = 0.2
_REST_S_MAX: Final = 5.0
_FINISH_S: Final = 60.0

_FAILURES: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, OSError, StoreError)

Report = Callable[[Movement, MovementReport], None]


class Mover:
    """One process that moves tenants. It holds the lease `move` as long as it lives."""

    def __init__(self, settings: MoveSettings, report: Report) -> None:
        """Raises MoverBusyError where another mover is at work."""
        self._settings = settings
        self._report = report
        self._store, self._leases = open_for_worker(settings.store)
        self._movements = Movements(self._store)
        until = now() + _LEASE_S
        while not self._leases.holds() and now() < until:
            time.sleep(0.05)  # of a server: it is being connected to
        if not self._leases.lead("move"):
            current = self._movements.current()
            by = self._movements.noted_mover() or "another process"
            by += "" if current is None else f" (movement {current.id} of {', '.join(current.tenants)})"
            self.close()
            raise MoverBusyError([f"{by} moves tenants now. Wait for it: shardgate move --status"])
        self._by = f"process {os.getpid()} on {socket.gethostname()}"
        self._movements.note_mover(self._by)
        self._gateways = Gateways(self._movements, self._leases)

    def close(self) -> None:
        """Give the lease up."""
        self._store.close()
        self._leases.close()

    def move(self, tenants: Sequence[str], target: str) -> list[Movement]:
        """Move tenants, those of one shard together. Raises MoveError."""
        by_source = self._by_source(tenants, target)
        for source, names in by_source.items() if len(by_source) > 1 else ():
            self._judge(source, target, names)
        done: list[Movement] = []
        for source, names in by_source.items():
            try:
                done.append(self._carry(self._begin(source, target, names)))
            except MoveRefusedError as error:  # judged again: something has changed meanwhile
                if not done:
                    raise
                moved = ", ".join(tenant for each in done for tenant in each.tenants)
                raise MoveFailedError(
                    [f"{moved}: moved to {target}; {', '.join(names)} not:", *error.reasons]
                ) from error
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
            return self._give_up(movement, work, "given up by an operator")
        finally:
            work.close()

    def _by_source(self, tenants: Sequence[str], target: str) -> dict[str, list[str]]:
        if target not in self._settings.shards:
            raise MoveRefusedError(
                [f"--to {target}: there is no such shard. There are {', '.join(self._settings.shards)}"]
            )
        known = self._store.find_many(self._settings.space, tenants)
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

    def _judge(self, source: str, target: str, tenants: Sequence[str]) -> None:
        """Raises MoveRefusedError."""
        if (other := self._movements.current()) is not None:
            raise MoveRefusedError(
                [
                    f"movement {other.id} of {', '.join(other.tenants)} from {other.source} to {other.target} is not"
                    f" over (phase {other.phase}). Run shardgate move --resume, or --abandon"
                ]
            )
        try:
            with closing(MovingRows(self._settings, source, target, tenants)) as work:
                problems = gently(partial(judged, self._settings, self._movements, (source, target), tenants, work))
        except DRIVER_ERRORS as error:
            raise MoveRefusedError([f"cannot check {source} and {target}: {type(error).__name__}: {error}"]) from error
        if problems:
            raise MoveRefusedError(problems)

    def _begin(self, source: str, target: str, tenants: Sequence[str]) -> Movement:
        """Check everything, then note the movement."""
        self._judge(source, target, tenants)
        try:
            movement = self._movements.begin(self._settings.space, tenants, source, target, self._leases.worker, wall())
        except StoreError as error:
            raise MoveRefusedError([str(error)]) from error
        told = MovementReport(by=self._by)
        self._movements.tell(movement.id, told)
        return self._current(movement.id)

    def _carry(self, movement: Movement) -> Movement:
        """All phases that are left."""
        work: MovingRows | None = None
        try:
            work = self._work(movement)
            recovery = RECOVERIES[movement.phase]
            if recovery == "look":
                work.take_back()
            if recovery == "forward":
                return self._finish(movement, work)
            return self._try_or_give_up(movement, work)
        except _FAILURES as error:
            raise self._failed(movement, f"{type(error).__name__}: {error}") from error
        finally:
            if work is not None:
                work.close()

    def _try_or_give_up(self, movement: Movement, work: MovingRows) -> Movement:
        try:
            return self._try(movement, work)
        except GivenUpError as error:
            self._give_up(movement, work, "; ".join(error.reasons))
            raise

    def _try(self, movement: Movement, work: MovingRows) -> Movement:
        """From the copy on; the fence goes up as often as it takes."""
        told = movement.told
        rest_s, different = _REST_S, 0
        for attempt in range(_TRIES):
            if not work.is_copied:
                self._copy(movement, work, told)
            self._enter(movement, "catching_up")
            for _ in range(_ROUNDS_MAX):
                self._heed(movement, work)
                if work.catch_up() <= _FEW:
                    break
            self._publish(movement, work)
            try:
                return self._switch(movement, work, told, patience(attempt, told.rows))
            except NotNowError as error:
                told.why = str(error)
                self._tell(movement, told)
                different += isinstance(error, DifferentRowsError)
                if different == _DIFFERENT_MAX:
                    break
                time.sleep(rest_s)
                rest_s = min(rest_s * 1.5, _REST_S_MAX)
        raise self._failed(movement, f"it did not succeed: {told.why}")

    def _copy(self, movement: Movement, work: MovingRows, told: MovementReport) -> None:
        told.rows, told.copied, told.why = gently(work.count), 0, ""
        self._require_gateways(movement)
        with closing(work.copy()) as batches:
            for count in batches:
                told.copied += count
                self._tell(movement, told)
                if self._is_given_up(movement):
                    break
        self._heed(movement, work)  # behind the copy's open query: what it has made is removed

    def _require_gateways(self, movement: Movement) -> None:
        """Every gateway follows, and knows the target; else lists would lack the tenant's rows."""
        try:
            self._await(movement, "copying", _FOLLOWED_S)
        except NotNowError as error:
            why = (
                f"{error}. A gateway that does not know {movement.target} acknowledges nothing: its log says so. Name"
                " the shard in `shards` of shardgate.yaml, and reload it: kill -HUP"
            )
            raise GivenUpError([why]) from error

    def _switch(self, movement: Movement, work: MovingRows, told: MovementReport, may_wait: SwitchPatience) -> Movement:
        """From the fence to the end. Raises NotNowError as long as nothing can be seen of it."""
        watch = Stopwatch()
        try:
            self._hand_over(movement, work, watch, may_wait)
        except NotNowError:
            work.rollback()
            watch.step("in vain")
            self._let_go_on(movement, "catching_up", watch, told)
            raise
        self._let_go_on(movement, "releasing", watch, told)
        self._tell(movement, told)
        return self._release(movement, work)

    def _let_go_on(self, movement: Movement, phase: Phase, watch: Stopwatch, told: MovementReport) -> None:
        """Take the fence down, and note how long it was up."""
        with suppress(NotNowError):
            self._await(movement, phase, _OPENED_S)
        watch.step("going on")
        if watch.total_s > told.held_s:
            told.held_s, told.steps_s = watch.total_s, watch.steps_s

    def _hand_over(self, movement: Movement, work: MovingRows, watch: Stopwatch, may_wait: SwitchPatience) -> None:
        """Behind the fence."""
        self._await(movement, "fenced", _FENCED_S)
        watch.step("gateways")
        self._await_journal(movement)
        watch.step("journal")
        try:
            published = len(work.moved)
            self._require_own_ids(movement, work)
            work.hand_over(now() + may_wait.rows_s)
            watch.step("rows")
            if len(work.moved) != published:
                self._announce(movement, work)
                watch.step("publish")
        except DRIVER_ERRORS as error:  # somebody holds a lock, or has changed what the rows refer to
            raise NotNowError(f"{type(error).__name__}: {error}") from error
        self._await(movement, "closed", may_wait.closed_s)
        watch.step("lists")
        # Up to here a worker that took this mover for dead, as it had lost its lease for a moment, held nothing.
        self._await(movement, "committing", may_wait.closed_s)
        watch.step("acknowledged")
        if watch.total_s > HELD_S_MAX:
            raise NotNowError(f"the last steps took longer than {HELD_S_MAX:g} s, for which requests may wait")
        work.commit_target()
        watch.step("target commits")
        turn = self._movements.flip(self._current(movement.id), work.ids)
        watch.step("flip")
        try:
            self._gateways.await_turn(turn, _FLIPPED_S)
        except NotNowError:
            work.rollback()  # as after a crash; others need not wait for the source's transaction
            self._purge(movement, work, turn)
            watch.step("long reads")
            return
        watch.step("reads")
        work.source.commit()
        watch.step("source commits")

    def _await(self, movement: Movement, phase: Phase, patience_s: float) -> None:
        self._gateways.await_turn(self._enter(movement, phase), patience_s)

    def _finish(self, movement: Movement, work: MovingRows) -> Movement:
        """What is left of a movement whose target owns the tenants."""
        if movement.phase == "flipped":
            self._purge(movement, work, self._enter(movement, "flipped"))
            self._enter(movement, "releasing")
        return self._release(movement, work)

    def _purge(self, movement: Movement, work: MovingRows, turn: int) -> None:
        """Delete the source's rows, of tenants that the target owns, once that turn of the flip is acknowledged."""
        try:
            self._gateways.await_turn(turn, _FINISH_S)
        except NotNowError as error:
            raise self._failed(movement, str(error)) from error
        owned = [each for each in movement.tenants if self._home(movement, each) == movement.target]
        missing = sorted(set(owned).difference(work.tenants_on_target()))
        if missing:
            raise self._failed(
                movement,
                f"{movement.target} has no row of {', '.join(missing)}, so that nothing was deleted on"
                f" {movement.source}. Is its database an older copy? Put the right one back, then run shardgate move"
                " --resume",
            )
        late = work.late_changes()
        work.purge()
        if late:
            movement.told.late = ", ".join(late)
            self._tell(movement, movement.told)

    def _home(self, movement: Movement, tenant: str) -> str | None:
        return self._store.find_many(movement.space, [tenant]).get(tenant)

    def _release(self, movement: Movement, work: MovingRows) -> Movement:
        work.release()
        return self._end(movement, "done", "")

    def _give_up(self, movement: Movement, work: MovingRows, why: str) -> Movement:
        """The rows are on the source alone. What waits goes on first: `release` may have to wait for locks."""
        work.rollback()
        self._enter(movement, "catching_up")
        work.release()
        return self._end(movement, "abandoned", why)

    def _end(self, movement: Movement, phase: Phase, why: str) -> Movement:
        told = self._current(movement.id).told
        told.why = why
        self._movements.tell(movement.id, told)
        self._movements.publish(movement.id, b"")
        self._movements.enter(movement.id, self._leases.worker, phase, "open", wall())
        ended = self._current(movement.id)
        self._report(ended, told)
        return ended

    def _require_own_ids(self, movement: Movement, work: MovingRows) -> None:
        """Rows have come since it was checked."""
        names = (movement.source, movement.target)
        found = counting_objections(names, work.source, work.target, work.tables, self._settings.local_ids)
        if found:
            raise GivenUpError(found)

    def _publish(self, movement: Movement, work: MovingRows) -> None:
        gently(work.learn)
        self._announce(movement, work)

    def _announce(self, movement: Movement, work: MovingRows) -> None:
        self._movements.publish(movement.id, msgspec.msgpack.encode(sorted(work.moved)))

    def _await_journal(self, movement: Movement) -> None:
        """Return once no change that had begun before the fence is still to be made on the source."""
        until = now() + _FENCED_S
        with open_store(self._settings.journal) as store:
            journal = Journal(store)
            last = journal.last()
            while journal.waits_for(movement.source, last):
                if now() > until:
                    raise NotNowError(f"changes in the journal are not over on {movement.source}")
                time.sleep(0.005)

    def _heed(self, movement: Movement, work: MovingRows) -> None:
        """Do what an operator wants."""
        if self._is_given_up(movement):
            self._give_up(movement, work, "given up by an operator")
            raise MoveFailedError([f"movement {movement.id} was given up"])

    def _is_given_up(self, movement: Movement) -> bool:
        """Whether an operator wants that; a pause is waited for."""
        while (current := self._current(movement.id)).wish == "pause":
            time.sleep(0.1)
        return current.wish == "abandon"

    def _enter(self, movement: Movement, phase: Phase) -> int:
        return self._movements.enter(movement.id, self._leases.worker, phase, FENCES[phase])

    def _tell(self, movement: Movement, told: MovementReport) -> None:
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

    def _work(self, movement: Movement) -> MovingRows:
        kind = MovingRows if self._settings.application is None else HandedRows
        return kind(self._settings, movement.source, movement.target, movement.tenants)
