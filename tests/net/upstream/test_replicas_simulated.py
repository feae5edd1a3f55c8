"""Replicas under seeded faults and deadlines, in time that jumps: what must hold whatever happens, and in whatever
order.

A failure prints its seed: `await history(seed)` is the same each time.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import pytest

from shardgate.core.errors import DeadlineError
from shardgate.core.exchange import Exchange
from shardgate.core.replicas.settings import Member
from shardgate.core.routes.route import Route
from shardgate.core.rules.any_shard import AnyShard
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.deadlines import Deadlines
from shardgate.net.upstream.call import Call
from tests.net.screenplay import Clock
from tests.net.upstream.play import End, Failed, Head, Opened, Whole, call_of, turns
from tests.net.upstream.replicas_play import ReplicasPlay

SEEDS = 10_000
BLOCKS = 20
EVENTS = 30
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500\x00\r\n\r\n"


PARSER = RequestHeadParser()


class Log(list[object]):
    """What a sink was told, and when."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.times_s: list[float] = []
        self._clock = clock

    def append(self, said: object) -> None:
        super().append(said)
        self.times_s.append(self._clock())


class Timer:
    def __init__(self, due_s: float, call: Callable[[], None]) -> None:
        self.due_s, self.call = due_s, call

    def cancel(self) -> None:
        self.due_s = inf


@dataclass
class Started:
    """A call, and what its sink was told; towards deadlines, its client."""

    name: str
    call: Call
    log: Log
    cancelled: bool = False
    due_s: float = inf
    """When it must be answered."""
    ended: bool = False
    """Its deadline has passed, and its client was told."""
    exchange: Exchange | None = None

    def end(self, error: DeadlineError, reason: str) -> None:
        assert reason == "deadline"
        if not self.call.done:  # else the request is over, and its deadline is no more
            self.ended = True
            self.call.cancel()

    @property
    def is_change(self) -> bool:
        return self.name.startswith("POST")


class History:
    """One seed: calls, replies, faults and time in an order by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        members = [
            Member(weight=self.chance.choice([1, 1, 3]), takes_changes=at == 0 or self.chance.random() < 0.7)
            for at in range(self.chance.randint(2, 4))
        ]
        self.play = ReplicasPlay(*members, hedge_percent=self.chance.choice([0, 5, 50]), failures_max=3)
        self.calls: list[Started] = []
        self.sent: dict[str, list[int]] = {}
        """What was sent → the replicas that it was sent to."""
        self.sent_at: dict[str, float] = {}
        """The same → when it was sent last."""
        self.timers: list[Timer] = []
        self.deadlines = Deadlines("X-Timeout-Ms", lambda _: None, self.play.clock, self.later)
        self.refused: list[str] = []
        """Whose deadline had passed before they began."""
        self.left: dict[int, int] = {}
        """Who left → how many calls had begun before."""
        self.began_at = self.play.clock()
        for _ in range(20):  # what is usual is known
            self.play.group.answered(self.play.group.replicas[0], 0.001, self.began_at)

    async def run(self) -> None:
        for _ in range(EVENTS):
            event = self.chance.choices(
                [self.start, self.answer, self.fail, self.turn, self.leave, self.wait, self.move], [8, 8, 3, 2, 1, 3, 1]
            )[0]
            await event()
            self.note()
        await self.settle()

    async def start(self) -> None:
        name = f"{self.chance.choice(['GET', 'GET', 'GET', 'POST'])} /{len(self.calls)}"
        log = Log(self.play.clock)
        call = call_of(log, self.play.clock, line=name.encode())
        started = Started(name, call, log)
        self.calls.append(started)
        if self.has_time(started):
            self.play.replicas.start(call)
        else:
            self.refused.append(name)
            started.cancelled = True
            call.cancel()
        await turns()

    def has_time(self, started: Started) -> bool:
        """Set its deadline: of its rule, of its client, or of both."""
        of_rule, of_client = self.chance.choice([None, 0.05, 1.0, 8.0]), self.chance.choice([None, None, 0.0, 0.3, 4.0])
        bounds = [bound for bound in (of_rule, of_client) if bound is not None]
        said = f"X-Timeout-Ms: {1000 * of_client:.0f}\r\n" if of_client is not None else ""
        request = PARSER.parse(f"{started.name} HTTP/1.1\r\nHost: a\r\n{said}".encode())
        instant = self.play.clock()
        began_s = instant - self.chance.choice([0.0, 0.0, 0.1])  # its body has come meanwhile
        started.due_s = began_s + min(bounds, default=inf)
        started.exchange = Exchange(request, b"id", "192.0.2.1", began_s)
        route = Route("GET", "/", "", AnyShard(deadline_s=of_rule))
        try:
            self.deadlines.begin(request, route, started, started.exchange)  # type: ignore[arg-type]
        except DeadlineError:
            return False
        return True

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(self.play.clock() + seconds, call)
        self.timers.append(timer)
        return timer

    def passes(self, seconds: float) -> None:
        """As the loop has it: what is due comes before what has arrived."""
        self.play.clock.at += seconds
        due = [timer for timer in self.timers if timer.due_s <= self.play.clock()]
        self.timers = [timer for timer in self.timers if self.play.clock() < timer.due_s < inf]
        for timer in due:
            timer.call()
        self.play.watch.look()

    async def answer(self) -> None:
        if (opened := self.busy()) is not None:
            if self.chance.random() < 0.3:
                opened.says(OK[:-1])
                if self.chance.random() < 0.5:
                    return  # the rest comes later, or never
                opened.says(OK[-1:])
            else:
                opened.says(OK)

    async def fail(self) -> None:
        if (opened := self.busy()) is not None:
            how = self.chance.randint(0, 2)
            if how == 0:
                opened.ends()
            else:
                opened.says(BUSY if how == 1 else BROKEN)
            await turns()

    async def turn(self) -> None:
        dialler = self.chance.choice(self.play.diallers)
        dialler.is_down = not dialler.is_down

    async def leave(self) -> None:
        if self.calls and not (started := self.chance.choice(self.calls)).call.done:
            started.cancelled = True
            started.call.cancel()
            assert started.exchange is not None
            self.deadlines.over(started.exchange)

    async def move(self) -> None:
        """DNS names one more, or one less: never nobody, and somebody always takes changes."""
        present = [index for index in range(len(self.play.members)) if index not in self.left]
        index = self.chance.choice(present)
        others = [each for each in present if each != index]
        if self.chance.random() < 0.5:
            self.play.join(Member(takes_changes=self.chance.random() < 0.7))
        elif any(self.play.members[each].takes_changes for each in others):
            self.left[index] = len(self.calls)
            self.play.leave(index)
        await turns()

    async def wait(self) -> None:
        for _ in range(self.chance.choice([1, 1, 10])):  # ten ticks in which nothing comes are silence
            self.passes(self.chance.choice([0.001, 0.02, 0.25, 2.5]))
            await turns()
            self.note()

    def busy(self) -> Opened | None:
        """A connection that carries a call, by chance."""
        carrying = [opened for opened in self.opened() if opened.connection.call is not None]
        return self.chance.choice(carrying) if carrying else None

    def opened(self) -> list[Opened]:
        return [opened for dialler in self.play.diallers for opened in dialler.opened]

    def note(self) -> None:
        """Who was sent what since."""
        for index, dialler in enumerate(self.play.diallers):
            for opened in dialler.opened:
                for written in [each for each in opened.log if isinstance(each, bytes)]:
                    for head in written.split(b"\r\n\r\n")[:-1]:
                        name = head.decode().split(" HTTP")[0]
                        self.sent.setdefault(name, []).append(index)
                        self.sent_at[name] = self.play.clock()
                opened.log.clear()

    async def settle(self) -> None:
        """The faults are over: whoever is asked answers, and what is left runs out of time."""
        for dialler in self.play.diallers:
            dialler.is_down = False
        for _ in range(20):
            while (opened := self.busy()) is not None:
                opened.says(OK)
                if opened.connection.call is not None:
                    opened.ends()
                await turns()
                self.note()
            if all(started.call.done for started in self.calls):
                break
            self.passes(5)
            await turns()
            self.note()

    def check(self) -> None:
        for started in self.calls:
            ends = [said for said in started.log if isinstance(said, End | Whole | Failed)]
            heads = [said for said in started.log if isinstance(said, Head | Whole)]
            is_over = started.cancelled or (started.ended and not ends)
            assert len(ends) == (0 if is_over else 1), (started.name, started.log)
            assert all(at_s <= started.due_s for at_s in started.log.times_s), (started.name, "answered too late")
            assert self.sent_at.get(started.name, 0.0) <= started.due_s, (started.name, "sent after its deadline")
            assert len(heads) <= 1, (started.name, started.log)
            if started.is_change:
                assert len(self.sent.get(started.name, [])) <= 1, (started.name, "a change was sent twice")
        assert not self.refused or not any(name in self.sent for name in self.refused)
        assert self.play.is_at_rest()
        assert all(
            self.play.members[index].takes_changes
            for name, indexes in self.sent.items()
            if name.startswith("POST")
            for index in indexes
        )
        for name, indexes in self.sent.items():
            number = int(name.partition("/")[2])
            assert all(number < self.left.get(index, len(self.calls)) for index in indexes), (
                name,
                "sent to who had left",
            )
        self.passes(1)
        assert not self.play.replicas._leaving, "who left has nothing to do any more, and stays"
        self.check_budgets()
        self.check_return()

    def check_budgets(self) -> None:
        events, elapsed_s = self.play.events.log, self.play.clock() - self.began_at
        reads = sum(not started.is_change for started in self.calls)
        guards = self.play.group.guards
        assert events.count("retried") <= len(self.calls) * guards.retry_percent / 100 + 9 + 3 * elapsed_s
        assert events.count("hedged") <= reads * guards.hedge_percent / 100
        again = sum(len(indexes) for indexes in self.sent.values()) - len(self.sent)
        # Each connection that had idled may have closed while it was written to: the pool then sends the read again.
        closed = sum(not opened.connection.usable for opened in self.opened())
        assert again <= events.count("retried") + events.count("hedged") + closed

    def check_return(self) -> None:
        """Whoever was left out is asked again."""
        self.play.clock.at += 100
        for replica in self.play.group.replicas:
            assert replica.health.may_serve(self.play.clock())


async def history(seed: int) -> History:
    made = History(seed)
    await made.run()
    return made


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
async def test_whatever_happens_a_call_has_one_end_and_budgets_hold(block: int) -> None:
    for seed in range(block * SEEDS // BLOCKS, (block + 1) * SEEDS // BLOCKS):
        made = await history(seed)
        try:
            made.check()
        except AssertionError as error:
            error.add_note(f"seed {seed}; events: {made.play.events.log}")
            raise


async def test_the_faults_do_happen() -> None:
    """A simulation in which nothing fails says nothing."""
    histories = [await history(seed) for seed in range(200)]
    events = {event.split(" ", 1)[-1] for made in histories for event in made.play.events.log}
    assert {"retried", "hedged", "left out for 5", "back"} <= events
    failed = [said for made in histories for started in made.calls for said in started.log if isinstance(said, Failed)]
    assert failed
    assert any(made.left for made in histories)
    calls = [started for made in histories for started in made.calls]
    assert 100 < sum(started.ended for started in calls) < len(calls) / 2, "some deadlines pass, and some do not"
    assert any(made.refused for made in histories)
    assert any(len(made.play.members) > 4 for made in histories)
