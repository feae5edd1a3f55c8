"""Runs long work in short steps: the event loop handles other events between two steps.

Holds: the loop is blocked for one step of one job at a time, however many jobs there are; while there is too much to
do, for as many steps as fit into TURN_S. Jobs of a better rank have their steps before others, but one step in
LAST_ONE_IN is the last rank's: nothing waits for ever.
Never: knows what a job does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from typing import Final, Generic, Protocol, TypeVar

from shardgate.net.clock import now

LAST_ONE_IN: Final = 8
TURN_S: Final = 0.005
"""While there is too much to do, a turn is no longer than this, but for a step that takes longer. Steps one after
another cost less than each in a turn of its own: the caches of the processor have what they need. So do the refusals
between two turns, of which there are more at once."""

Result = TypeVar("Result")


class Job(Protocol):
    """Work that can be done in steps."""

    def step(self) -> bool:
        """Do a little. False: there is nothing more to do for now. Never raises."""


class Turns:
    """The jobs of one worker, one step each in turn."""

    __slots__ = ("_clock", "_count", "_jobs", "_known", "_marks", "_scheduled", "paces")

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self.paces = False
        """There is more to do than can be done: short work takes turns, too, so that what comes is seen between it."""
        self._jobs: list[deque[Job]] = [deque()]
        """By rank; 0 is the best."""
        self._count = 0
        """Steps that were done."""
        self._marks: deque[tuple[int, Callable[[], None]]] = deque()
        self._known: set[Job] = set()
        self._scheduled = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for its turn."""
        return not self._known

    def add(self, job: Job, rank: int = 0) -> None:
        """Run the job's steps from now on, until one returns False."""
        if job not in self._known:
            self._known.add(job)
            while rank >= len(self._jobs):
                self._jobs.append(deque())
            self._jobs[rank].append(job)
        if not self._scheduled:
            self._schedule()

    def mark(self, reached: Callable[[], None]) -> None:
        """Call this when as many steps were done as jobs wait now, whosever they were; at once where none waits."""
        if self.is_idle:
            reached()
        else:
            self._marks.append((self._count + len(self._known), reached))

    async def run(self, steps: Generator[None, None, Result], rank: int = 0) -> Result:
        """Run all steps; returns what they return, raises what they raise."""
        job = _Steps(steps)
        self.add(job, rank)
        return await job.result

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        began_at = before = self._clock()
        longest_s = 0.0
        while self._known and before + longest_s <= began_at + TURN_S:
            self._step()
            if not self.paces:
                break
            after = self._clock()
            longest_s = max(longest_s, after - before)
            before = after
        if self._known and not self._scheduled:
            self._schedule()

    def _step(self) -> None:
        self._count += 1
        ranks = self._jobs if self._count % LAST_ONE_IN else self._jobs[::-1]
        jobs = next(filter(None, ranks))
        job = jobs.popleft()
        if job.step():
            jobs.append(job)
        else:
            self._known.discard(job)
        while self._marks and (self._marks[0][0] <= self._count or not self._known):
            self._marks.popleft()[1]()


class _Steps(Generic[Result]):
    """A generator, one step each time."""

    __slots__ = ("_steps", "result")

    def __init__(self, steps: Generator[None, None, Result]) -> None:
        self._steps = steps
        self.result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def step(self) -> bool:
        if self.result.done():  # it was cancelled
            return False
        try:
            next(self._steps)
        except StopIteration as end:
            self.result.set_result(end.value)
        except Exception as error:
            self.result.set_exception(error)
        return not self.result.done()
