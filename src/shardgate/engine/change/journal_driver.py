"""Drives entries of the journal: writes the next step down, sends it, and writes its outcome down.

Holds: a call is in the journal before it is sent. A worker that does not own an entry any more stops at once. Where the
store fails, nothing more of the entry is sent, and the entry is given up with all that is known of it, as soon as that
can be written down: then any worker may go on with it.
Never: decides what comes next (core/changes does).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from shardgate.core.changes.calls import Outgoing, outgoing
from shardgate.core.changes.entry import ChangeState, Entry
from shardgate.core.changes.sightings import seen_by_all
from shardgate.core.changes.steps import (
    Move,
    cannot_send,
    give_up_doubted,
    made_tenant,
    moves,
    next_state,
    refuse_all,
    take,
)
from shardgate.core.changes.verdict import STATUS_PATH
from shardgate.core.contracts import Outcome
from shardgate.core.errors import (
    BodyTooLargeError,
    OverloadError,
    ShardgateError,
    StoreUnavailableError,
    StoreUncertainError,
    UnrecordedError,
)
from shardgate.core.held import Holdings
from shardgate.core.limits import JOURNALED_REPLY_BYTES_MAX, ORDER_PATIENCE_S, Limits
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import AwaitedCall
from shardgate.engine.change.debts import Debts
from shardgate.engine.change.instants import instant
from shardgate.engine.cluster import Cluster
from shardgate.engine.upstreams import Upstream
from shardgate.net.clock import now
from shardgate.store.journal import Begun, JournalBounds, JournalFullError, NotOwnerError
from shardgate.store.writer import Writer

_POLL_S = 0.01

_STUCK = "change %d (%s) of the request %s is stuck; see `shardgate journal`: %s"

_log = logging.getLogger("shardgate")


def _at_any_time() -> bool:
    return True


class _Pass:
    """One pass over an entry: what rests until the next one, and why."""

    __slots__ = ("has_begun", "may_begin", "patient_until", "resting", "unsettled")

    def __init__(self, patient_until: float, may_begin: Callable[[], bool]) -> None:
        self.patient_until = patient_until
        self.may_begin = may_begin
        self.has_begun = False
        self.resting: dict[int, ShardgateError | None] = {}
        self.unsettled = False


class JournalDriver:
    """Carries entries out, for one worker."""

    __slots__ = ("_body_bytes_max", "_bounds", "_cluster", "_debts", "_request_bytes_max", "_writer", "worker")

    def __init__(self, cluster: Cluster, writer: Writer, debts: Debts, body_bytes_max: int, limits: Limits) -> None:
        """`body_bytes_max`: of a shard's reply."""
        self._request_bytes_max = limits.journaled_body_bytes_max
        self._bounds = JournalBounds(limits.journal_entries_max, limits.journal_bytes_max)
        self._cluster = cluster
        self._writer = writer
        self._debts = debts
        self._body_bytes_max = min(body_bytes_max, JOURNALED_REPLY_BYTES_MAX)
        self.worker = writer.leases.worker

    async def add(self, entry: Entry) -> None:
        """Write a new entry down, before any of it is sent.

        Raises BodyTooLargeError, OverloadError, StoreUnavailableError; UnrecordedError where it may be there or not.
        """
        if len(entry.request.body) > self._request_bytes_max:
            raise BodyTooLargeError(f"the body of this change is larger than {self._request_bytes_max} bytes")
        try:
            await self._writer.run(self._writer.journal.add, entry, self.worker, instant(), self._bounds)
        except StoreUncertainError as error:
            refuse_all(entry)  # if it is there, it is ended as soon as the store can be written: nothing was sent
            self._hand_back(entry)
            raise _unrecorded(entry, error) from error
        except JournalFullError as error:
            raise OverloadError("too many changes are not over yet", log=str(error), budget="journal") from error

    async def find(self, token: str) -> Entry | None:
        """The entry with this token; None where there is none."""
        return await self._writer.run(self._writer.journal.find, token)

    async def drive(
        self,
        entry: Entry,
        holdings: Holdings,
        *,
        patience_s: float = ORDER_PATIENCE_S,
        may_begin: Callable[[], bool] = _at_any_time,
    ) -> dict[int, ShardgateError | None]:
        """Go on until the entry is over, or until nothing more can be done now; then any worker may go on with it.

        `may_begin`: asked until the first call of the entry; False: there is none, and the entry is taken back.
        `holdings`: what is held for the entry; whoever drives it closes them.
        Returns the branches that had to rest, each with its error; None: its shard missed earlier changes, or a 5xx.
        Raises NotOwnerError where another has taken the entry over, UnrecordedError where the store fails.
        """
        try:
            return await self._drive(entry, holdings, patience_s, may_begin)
        except NotOwnerError:
            raise
        except StoreUnavailableError as error:
            self._hand_back(entry)
            raise _unrecorded(entry, error) from error
        except Exception:  # a defect: others of its order must not wait for as long as this worker lives
            entry.unsettled = True
            self._hand_back(entry)
            raise

    def _hand_back(self, entry: Entry) -> None:
        """Give the entry up as soon as the store can be written, with all that is known of it."""
        numbers = range(len(entry.branches))
        self._debts.owe(partial(self._writer.journal.save, entry, self.worker, *numbers, release=True))

    async def _drive(
        self, entry: Entry, holdings: Holdings, patience_s: float, may_begin: Callable[[], bool]
    ) -> dict[int, ShardgateError | None]:
        going = _Pass(now() + patience_s, may_begin)
        rested: dict[int, ShardgateError | None] = {}
        if entry.judge_is_in_doubt:  # no other shard may be asked before a person has looked
            await self._give_up(entry)
        while True:
            state = next_state(entry, going.resting)
            if state != entry.state:
                await self._enter(entry, state, going)
                continue
            todo = moves(entry, going.resting) if entry.open else []
            if not todo:
                break
            going.patient_until = now() + patience_s
            await _all_of([self._make(entry, move, going, holdings) for move in todo])
            rested |= going.resting
            await self._give_up(entry)
        if entry.open:
            entry.unsettled = going.unsettled
            await self._save(entry, release=True)
        return rested

    async def _save(
        self, entry: Entry, *numbers: int, release: bool = False, also: Callable[[], None] | None = None
    ) -> None:
        save = self._writer.journal.save
        await self._writer.run(save, entry, self.worker, *numbers, release=release, also=also)

    async def _enter(self, entry: Entry, state: ChangeState, at: _Pass) -> None:
        if state == "stuck":
            entry.stuck_in = entry.state
            request_id = entry.request.request_id.decode("latin-1")
            why = "; ".join([f"{shard}: {problem}" for shard, problem in entry.problems.items()])
            _log.error(_STUCK, entry.id, entry.operation, request_id, why)
        if state == "undoing":
            at.resting.clear()  # a branch that cannot be done may still be undone
        before, entry.state = entry.state, state
        also = self._settle_place(entry) if entry.kind == "place" and state in {"done", "undone"} else None
        try:
            await self._save(entry, also=also)
        except StoreUnavailableError:
            entry.state = before  # nothing was written: whoever goes on with it decides the same again
            raise

    async def _make(self, entry: Entry, move: Move, at: _Pass, holdings: Holdings) -> None:
        sent = outgoing(entry, move)
        if sent is None:
            cannot_send(entry, move)
            await self._save(entry, move.branch)
            return
        begun = await self._begin(entry, move, at)
        if begun != "begun":
            waited = OverloadError("earlier changes took too long", budget="changes_waiting")
            at.resting[move.branch] = waited if begun == "busy" else None
            return
        outcome = await self._send(entry, move, sent, holdings)
        if not take(entry, move, outcome):
            error = outcome if isinstance(outcome, ShardgateError) else None
            at.resting[move.branch] = error
            at.unsettled = at.unsettled or error is None or not error.nothing_done
        await self._save(entry, move.branch)

    async def _begin(self, entry: Entry, move: Move, at: _Pass) -> Begun:
        begin = self._writer.journal.begin
        while True:
            if not at.has_begun and not at.may_begin():
                return "busy"
            begun = await self._writer.run(begin, entry, move.branch, move.step, self.worker, instant())
            if begun == "begun" and not self._writer.leases.holds():  # others may go on with the entry by now
                raise StoreUnavailableError("the gateway cannot use its store now", log="the lease was not kept")
            at.has_begun = at.has_begun or begun == "begun"
            # What waits for a change that may wait for ever holds up no other.
            at.unsettled = at.unsettled or begun == "held"
            if begun != "busy" or now() >= at.patient_until:
                return begun
            await asyncio.sleep(_POLL_S)

    async def _send(self, entry: Entry, move: Move, sent: Outgoing, holdings: Holdings) -> Outcome:
        shard = entry.branches[move.branch].shard
        instances = self._cluster.alone(shard) if move.step == "check" else ()
        if len(instances) < 2:
            return await self._call(entry, shard, sent, holdings)
        calls = [self._call(entry, shard, sent, holdings, instance) for instance in instances]
        return seen_by_all(await asyncio.gather(*calls))

    async def _call(
        self, entry: Entry, shard: ShardId, sent: Outgoing, holdings: Holdings, upstream: Upstream | None = None
    ) -> Outcome:
        request = entry.request
        call = AwaitedCall(self._cluster, shard, self._body_bytes_max, holdings)
        return await call.send(sent, request.host, request.lines, request.request_id, upstream=upstream)

    async def _give_up(self, entry: Entry) -> None:
        before = [branch.phase for branch in entry.branches]
        give_up_doubted(entry)
        changed = [number for number, branch in enumerate(entry.branches) if branch.phase != before[number]]
        if changed:
            await self._save(entry, *changed)

    def _settle_place(self, entry: Entry) -> Callable[[], None]:
        """What writes the new tenant into the directory, in the transaction that ends its entry."""
        tenant = made_tenant(entry) if entry.state == "done" else None
        shard = entry.branches[0].shard
        return partial(self._writer.placements.settle, entry.space, entry.placed_by, tenant, shard)


def _unrecorded(entry: Entry, error: StoreUnavailableError) -> UnrecordedError:
    link = f"{STATUS_PATH}{entry.token}"
    detail = f"the gateway's store failed; the change may have been made or not: {link}"
    return UnrecordedError(detail, log=error.log)


async def _all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all, then raise the first error: nothing of the entry goes on when it is given up."""
    for error in await asyncio.gather(*work, return_exceptions=True):
        if error is not None:
            raise error
