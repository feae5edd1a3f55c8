"""Writes to the store in a thread of its own, one for each worker, so that the event loop never waits for the disk.

A commit takes 0.2 ms, and one of a hundred takes 7 ms. Passing a job to the thread and back costs 65 µs. Where the
store is on another machine, jobs that wait are written together, in one transaction.

Holds: jobs run one at a time, in the order of the calls. A job that fails, or whose turn does not come in time, has
written nothing. So nobody waits longer than a job may wait for its turn, and for the lock of the store.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from shardgate.core.errors import StoreUnavailableError, StoreUncertainError
from shardgate.store.database import CommitUnknownError, StorePlace, outcome_of
from shardgate.store.idempotency import IdempotencyKeys
from shardgate.store.journal import Journal
from shardgate.store.movements import Movements
from shardgate.store.opening import open_for_worker
from shardgate.store.placements import Placements
from shardgate.store.sqlite import BUSY_MS, SqliteStore
from shardgate.store.usage import Usage
from shardgate.store.write_ahead import lengthen

P = ParamSpec("P")
T = TypeVar("T")

TURN_S: Final = BUSY_MS / 1000  # as long as one job may wait for the lock: those behind it are not worse off
TOGETHER_S: Final = 0.05  # so long jobs join a transaction: other gateways wait for its end


class _Job(NamedTuple):
    """A job that waits for its turn."""

    call: Callable[[], Any]
    done: "Future[Any]"
    alone: bool
    """It waits for something else than the store, and must not keep others from it meanwhile."""


class Writer:
    """The tables of the store, and the worker's leases. They are used through `run` only."""

    __slots__ = ("_store", "_thread", "_waiting", "journal", "keys", "leases", "movements", "placements", "usage")

    def __init__(self, place: StorePlace) -> None:
        self._store, self.leases = open_for_worker(place)
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[_Job] = deque()
        if isinstance(self._store, SqliteStore):
            self._thread.submit(lengthen, self._store.connection, self._store.path)
        self.journal = Journal(self._store)
        self.keys = IdempotencyKeys(self._store, self.leases)
        self.movements = Movements(self._store)
        self.placements = Placements(self._store)
        self.usage = Usage(self._store)

    @property
    def place(self) -> StorePlace:
        """Where the store is."""
        return self._store.place

    def wall(self, wall_s: float) -> float:
        """The time of day by the store's clock, for a job; see `Store.wall`."""
        return self._store.wall(wall_s)

    async def run(self, job: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Run a method of one of the tables in the thread, and return what it returns.

        Raises StoreUnavailableError where the store is locked, full, read-only or broken, or where the turn of the job
        does not come within TURN_S; then it has written nothing.
        """
        loop = asyncio.get_running_loop()
        done: Future[T] = Future()
        is_lease = getattr(job, "__self__", None) is self.leases
        self._waiting.append(_Job(lambda: job(*args, **options), done, is_lease))
        try:
            self._thread.submit(self._work)
        except RuntimeError as error:  # after `close`
            self._waiting.clear()
            raise _unavailable("the worker has closed the store") from error
        too_late = loop.call_later(TURN_S, done.cancel)  # does nothing to a job that runs
        try:
            return await asyncio.wrap_future(done)
        except CommitUnknownError as error:
            raise StoreUncertainError("the gateway cannot use its store now", log=str(error)) from error
        except self._store.errors as error:
            raise _unavailable(f"{type(error).__name__}: {error}") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise _unavailable(f"jobs before this one took longer than {TURN_S:g} s") from None
        finally:
            too_late.cancel()

    def _work(self) -> None:
        """Do the next job, and those that wait behind it where the store writes several at once."""
        first = self._next()
        if first is None:
            return  # it was done together with one before it
        taken = [first]
        try:
            self._store.prepare()
        except self._store.errors as unusable:
            first.done.set_exception(unusable)
            return
        if first.alone or self._store.jobs_at_once == 1 or not self._waiting:
            outcomes = [outcome_of(first.call)]
        else:
            outcomes = self._store.together(self._joining(taken))
        for job, (value, error) in zip(taken, outcomes, strict=True):
            if error is None:
                job.done.set_result(value)
                continue
            if isinstance(error, self._store.errors):
                self._store.recover(error)
            job.done.set_exception(error)

    def _joining(self, taken: list[_Job]) -> Iterator[Callable[[], Any]]:
        """The jobs of one transaction: one that was taken, and those behind it."""
        yield taken[0].call
        until = time.monotonic() + TOGETHER_S  # the first one has waited for the other gateways
        while len(taken) < self._store.jobs_at_once and time.monotonic() < until:
            if (job := self._next(together=True)) is None:
                return
            taken.append(job)
            yield job.call

    def _next(self, *, together: bool = False) -> _Job | None:
        """Take the next job that somebody still waits for; with `together`, only one that may join others."""
        while self._waiting and not (together and self._waiting[0].alone):
            job = self._waiting.popleft()
            if job.done.set_running_or_notify_cancel():
                return job
        return None

    def close(self) -> None:
        """Finish all jobs, then close the store, and give the leases up."""
        self._thread.shutdown()
        self._store.close()
        self.leases.close()


def _unavailable(log: str) -> StoreUnavailableError:
    return StoreUnavailableError("the gateway cannot use its store now", log=log)
