"""Replicas under seeded faults, in time that jumps: what must hold whatever happens, and in whatever order.

A failure prints its seed: `await history(seed)` is the same each time.
"""

import random
from dataclasses import dataclass, field

import pytest

from shardgate.core.replicas.settings import Member
from shardgate.net.upstream.call import Call
from tests.net.upstream.play import End, Failed, Head, Opened, Whole, call_of, turns
from tests.net.upstream.replicas_play import ReplicasPlay

SEEDS = 10_000
BLOCKS = 20
EVENTS = 30
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500\x00\r\n\r\n"


@dataclass
class Started:
    """A call, and what its sink was told."""

    name: str
    call: Call
    log: list[object] = field(default_factory=list)
    cancelled: bool = False

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
        log: list[object] = []
        call = call_of(log, self.play.clock, line=name.encode())
        self.calls.append(Started(name, call, log))
        self.play.replicas.start(call)
        await turns()

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
            self.play.passes(self.chance.choice([0.001, 0.02, 0.25, 2.5]))
        await turns()

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
                        self.sent.setdefault(head.decode().split(" HTTP")[0], []).append(index)
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
            self.play.passes(5)
            await turns()
            self.note()

    def check(self) -> None:
        for started in self.calls:
            ends = [said for said in started.log if isinstance(said, End | Whole | Failed)]
            heads = [said for said in started.log if isinstance(said, Head | Whole)]
            assert len(ends) == (0 if started.cancelled else 1), (started.name, started.log)
            assert len(heads) <= 1, (started.name, started.log)
            if started.is_change:
                assert len(self.sent.get(started.name, [])) <= 1, (started.name, "a change was sent twice")
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
        self.play.passes(1)
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
    assert any(len(made.play.members) > 4 for made in histories)
