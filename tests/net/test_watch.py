"""What waits is expired once its deadline has passed, by a clock that the test moves."""

import asyncio
import socket
from collections.abc import Callable
from math import inf

import pytest
import uvloop

from shardgate.net.clock import now
from shardgate.net.watch import LATE_S, TICK_S, Watch
from tests.net.screenplay import Clock
from tests.waiting import one_turn, until


class Waiting:
    def __init__(self, deadline_at: float, expired: Callable[[], None]) -> None:
        self.deadline_at = deadline_at
        self.expire = expired


def test_it_is_expired_after_its_deadline_and_not_before() -> None:
    clock, expired = Clock(), list[str]()
    watch = Watch(clock)
    watch.add(Waiting(clock.at + 1, lambda: expired.append("first")))
    watch.add(Waiting(clock.at + 3, lambda: expired.append("second")))
    watch.add(Waiting(inf, lambda: expired.append("never")))
    for passes, then in ((0.5, []), (1, ["first"]), (2, ["first", "second"])):
        clock.at += passes
        watch.look()
        assert [*dict.fromkeys(expired)] == then


def test_one_that_cannot_be_ended_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    clock, expired = Clock(), list[str]()
    watch = Watch(clock)

    def fail() -> None:
        raise OverflowError("as when a number did not fit into the metrics")

    for n in range(9):  # a set has no order: some come before the failing one, some after
        watch.add(Waiting(clock.at + 1, fail if n == 4 else lambda n=n: expired.append(f"{n}")))  # type: ignore[misc]
    clock.at += 2
    watch.look()
    assert sorted(expired) == [f"{n}" for n in range(9) if n != 4]
    assert "could not be ended" in caplog.text


def test_it_waits_no_more_once_it_is_released() -> None:
    clock, expired = Clock(), list[str]()
    watch = Watch(clock)
    waiting = Waiting(clock.at + 1, lambda: expired.append("it"))
    watch.add(waiting)
    watch.discard(waiting)
    clock.at += 2
    watch.look()
    assert expired == []


@pytest.mark.parametrize("gets", ["an end", "more time"])
def test_what_another_one_ended_or_gave_time_in_the_same_tick_is_left_alone(gets: str) -> None:
    clock, expired = Clock(), list[str]()
    watch = Watch(clock)
    pair: list[Waiting] = []

    def expire(name: str, other: int) -> None:
        expired.append(name)
        if gets == "an end":
            watch.discard(pair[other])
        else:
            pair[other].deadline_at = inf
        watch.discard(pair[1 - other])

    pair += [Waiting(clock.at + 1, lambda: expire("one", 1)), Waiting(clock.at + 1, lambda: expire("two", 0))]
    for each in pair:
        watch.add(each)
    clock.at += 2
    watch.look()
    assert len(expired) == 1


async def test_it_ticks_by_itself_until_it_is_stopped() -> None:
    clock, expired = Clock(), list[str]()
    watch = Watch(clock)
    watch.add(Waiting(clock.at, lambda: expired.append("it")))
    watch.start()
    await until(lambda: len(expired) > 1)
    watch.stop()


async def test_a_failure_of_one_does_not_stop_the_ticks() -> None:
    looked = list[str]()
    watch = Watch(Clock())

    def fail() -> None:
        looked.append("it")
        raise ZeroDivisionError

    watch.add(Waiting(0.0, fail))
    watch._tick()
    assert looked == ["it"]
    assert watch._handle is not None
    watch.stop()


class Reading(asyncio.Protocol):
    def __init__(self, read: Callable[[], object]) -> None:
        self.read = read

    def data_received(self, data: bytes) -> None:
        self.read()


def test_what_came_while_the_process_was_held_up_is_read_first() -> None:
    """Found: a drain on a busy machine closed connections whose requests had come in time and were not read yet."""

    async def run() -> None:
        loop, watch, happened = asyncio.get_running_loop(), Watch(), list[str]()
        waiting = Waiting(now() + TICK_S, lambda: happened.append("expired"))
        (slow, slow_client), (prompt, prompt_client) = socket.socketpair(), socket.socketpair()

        def hold_up() -> None:
            prompt_client.send(b"a request")
            until_at = now() + TICK_S + 2 * LATE_S
            while now() < until_at:
                pass

        def answer() -> None:
            happened.append("answered")
            waiting.deadline_at = inf

        with slow_client, prompt_client:
            transports = [
                (await loop.create_connection(lambda: Reading(hold_up), sock=slow))[0],
                (await loop.create_connection(lambda: Reading(answer), sock=prompt))[0],
            ]
            watch.add(waiting)
            watch.start()
            slow_client.send(b"a request that takes long")
            await until(lambda: happened)
            assert happened == ["answered"]
            waiting.deadline_at = 0.0
            await until(lambda: happened[1:])
            watch.stop()
            for each in transports:
                each.close()
            await one_turn()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
