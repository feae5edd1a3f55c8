"""Work in steps: between two of them, the loop handles what else has come."""

import asyncio
from collections.abc import Generator

import pytest

from shardgate.net.turns import TURN_S, Turns
from tests.waiting import one_round, one_turn


class Job:
    """So many steps, each written down."""

    def __init__(self, name: str, steps: int, done: list[str]) -> None:
        self._name = name
        self._left = steps
        self._done = done

    def step(self) -> bool:
        self._done.append(self._name)
        self._left -= 1
        return self._left > 0


async def test_one_job_has_one_step_in_each_turn_of_the_loop() -> None:
    turns, done = Turns(), list[str]()
    assert turns.is_idle
    turns.add(Job("a", 3, done))
    turns.add(Job("b", 1, done))
    seen = []
    while not turns.is_idle:
        await one_round()
        seen.append("".join(done))
    assert seen == ["a", "ab", "aba", "abaa"]


async def test_a_job_that_waits_is_not_added_twice() -> None:
    turns, done = Turns(), list[str]()
    job = Job("a", 1, done)
    turns.add(job)
    turns.add(job)
    for _ in range(3):
        await one_turn()
    assert done == ["a"]
    turns.add(job)
    await one_turn()
    assert done == ["a", "a"]


async def test_steps_give_what_they_return_or_raise() -> None:
    def counted() -> Generator[None, None, int]:
        yield
        return 7

    def broken() -> Generator[None, None, int]:
        yield
        raise ValueError("row 3")

    turns = Turns()
    assert await turns.run(counted()) == 7
    with pytest.raises(ValueError, match="row 3"):
        await turns.run(broken())


async def test_of_work_that_is_cancelled_no_further_step_is_done() -> None:
    done = list[int]()

    def endless() -> Generator[None, None, None]:
        while True:
            done.append(1)
            yield

    turns = Turns()
    task = asyncio.ensure_future(turns.run(endless()))
    for _ in range(3):
        await one_turn()
    task.cancel()
    steps = len(done)
    for _ in range(5):
        await one_turn()
    assert turns.is_idle
    assert len(done) <= steps + 1


async def test_jobs_of_a_better_rank_have_their_turns_first_and_the_others_are_not_forgotten() -> None:
    turns, done = Turns(), list[str]()
    turns.add(Job("z", 2, done), rank=2)
    turns.add(Job("b", 9, done), rank=1)
    turns.add(Job("a", 9, done))
    while not turns.is_idle:
        await one_round()
    assert "".join(done) == "aaaaaaazaabbbbbzbbbb"


async def test_a_mark_is_reached_after_as_many_steps_as_jobs_waited() -> None:
    turns, done = Turns(), list[str]()
    turns.mark(lambda: done.append("!"))
    assert done == ["!"], "nothing waits"
    turns.add(Job("b", 3, done), rank=1)
    turns.add(Job("c", 1, done), rank=1)
    turns.mark(lambda: done.append("!"))
    turns.add(Job("a", 1, done))
    while not turns.is_idle:
        await one_round()
    assert "".join(done) == "!ab!cbb"


async def test_a_mark_is_reached_where_jobs_have_ended_early() -> None:
    def steps() -> Generator[None, None, None]:
        while True:
            yield

    turns, done = Turns(), list[str]()
    tasks = [asyncio.ensure_future(turns.run(steps())) for _ in range(3)]
    await one_round()
    turns.mark(lambda: done.append("!"))
    for task in tasks:
        task.cancel()
    for _ in range(6):
        await one_round()
    assert done == ["!"]
    assert turns.is_idle


class Clock:
    """Goes forward where it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Timed(Job):
    """Steps that take so long."""

    def __init__(self, steps: int, takes_s: float, clock: Clock) -> None:
        self.done: list[str] = []
        super().__init__("a", steps, self.done)
        self._takes_s = takes_s
        self._clock = clock

    def step(self) -> bool:
        self._clock.now_s += self._takes_s
        return super().step()


@pytest.mark.parametrize(("takes", "steps"), [(0.11, 9), (0.4, 2), (0.51, 1), (3.0, 1)])
async def test_while_there_is_too_much_to_do_a_turn_has_as_many_steps_as_fit_into_it(takes: float, steps: int) -> None:
    clock = Clock()
    turns, job = Turns(clock), Timed(100, takes * TURN_S, clock)
    turns.paces = True
    turns.add(job)
    await one_round()
    assert len(job.done) == steps
    await one_round()
    assert len(job.done) == 2 * steps


async def test_a_turn_ends_where_there_is_no_longer_too_much_to_do() -> None:
    turns, done = Turns(Clock()), list[str]()

    class Last(Job):
        def step(self) -> bool:
            turns.paces = False
            return super().step()

    turns.paces = True
    turns.add(Last("a", 3, done))
    await one_round()
    assert done == ["a"]


async def test_a_job_that_a_step_adds_is_run_in_the_same_turn_and_the_turn_behind_it_finds_nothing() -> None:
    turns, done = Turns(Clock()), list[str]()

    class Adds(Job):
        def step(self) -> bool:
            turns.add(Job("b", 1, done))
            return super().step()

    turns.paces = True
    turns.add(Adds("a", 1, done))
    for _ in range(3):
        await one_round()
    assert done == ["a", "b"]
    assert turns.is_idle
