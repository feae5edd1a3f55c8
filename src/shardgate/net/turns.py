"""Runs long work in short steps: the event loop handles other events between two steps.

Holds: the loop is blocked for one step of one job at a time, however many jobs there are.
Never: knows what a job does.
"""

import asyncio
from collections import deque
from collections.abc import Generator
from typing import Generic, Protocol, TypeVar

Result = TypeVar("Result")


class Job(Protocol):
    """Work that can be done in steps."""

    def step(self) -> bool:
        """Do a little. False: there is nothing more to do for now. Never raises."""


class Turns:
    """The jobs of one worker, one step each in turn."""

    __slots__ = ("_jobs", "_known", "_scheduled", "paces")

    def __init__(self) -> None:
        self.paces = False
        """There is more to do than can be done: short work takes turns, too, so that what comes is seen between it."""
        self._jobs: deque[Job] = deque()
        self._known: set[Job] = set()
        self._scheduled = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for its turn."""
        return not self._jobs

    def add(self, job: Job) -> None:
        """Run the job's steps from now on, until one returns False."""
        if job not in self._known:
            self._known.add(job)
            self._jobs.append(job)
        if not self._scheduled:
            self._schedule()

    async def run(self, steps: Generator[None, None, Result]) -> Result:
        """Run all steps; returns what they return, raises what they raise."""
        job = _Steps(steps)
        self.add(job)
        return await job.result

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        job = self._jobs.popleft()
        if job.step():
            self._jobs.append(job)
        else:
            self._known.discard(job)
        if self._jobs:
            self._schedule()


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
