"""What DNS says of a shard's replicas, over fake connections: calls before the first answer, and changes under way."""

import asyncio
from dataclasses import dataclass, field

from shardgate.core.replicas.group import Group
from shardgate.core.replicas.membership import Answer, Change, FoundReplica
from shardgate.core.replicas.settings import Member, ReplicaGuards
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.discovery import DiscoveredReplicas
from shardgate.net.upstream.dns_client import DnsError
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.upstream.pool import Pool, PoolSettings
from shardgate.net.upstream.replicas import Replicas
from shardgate.net.watch import Watch
from tests.net.screenplay import Clock
from tests.net.upstream.play import DiallerOfTheTest, Failed, Opened, Whole, call_of, turns
from tests.net.upstream.replicas_play import Events

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class DiscoveryPlay:
    """The test is DNS, each replica, and the clock."""

    clock: Clock = field(default_factory=Clock)
    diallers: dict[str, DiallerOfTheTest] = field(default_factory=dict)
    says: Answer | DnsError = field(default_factory=lambda: DnsError("no answer in time"))
    told: list[str] = field(default_factory=list)
    log: list[object] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.watch = Watch(self.clock)
        group = Group((), ReplicaGuards(slow_start_s=10), None, None, self.clock())
        self.replicas = Replicas(group, (), self.watch, Events(), OwnChanges())
        self.discovered = DiscoveredReplicas(self.ask, self.replicas, self, self.watch, waiting_max=2)

    async def ask(self) -> Answer:
        self.asked += 1
        if isinstance(self.says, DnsError):
            raise self.says
        return self.says

    def found(self, change: Change) -> None:
        joined = [(f"{one.host}", Member(one.weight), self.pool(one.host)) for one in change.joined]
        self.replicas.change(joined, {host for host, _ in change.left})

    def not_found(self, why: str, known: int, *, first: bool) -> None:
        self.told.append(f"{why}: {known} stay{', first' if first else ''}")

    def found_again(self) -> None:
        self.told.append("again")

    def pool(self, host: str) -> Pool:
        dialler = self.diallers[host] = DiallerOfTheTest()
        dialler.may_connect.set()
        return Pool(dialler, self.watch, PoolSettings(4, 4, idle_timeout_s=1000.0))

    async def names(self, *hosts: str, ttl_s: float = 5.0) -> None:
        """DNS names these, and is asked when it is time to."""
        self.says = Answer([FoundReplica(host, 80) for host in hosts], ttl_s)
        await self.passes(ttl_s)

    async def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.watch.look()
        await turns()

    async def call(self, line: bytes = b"GET /any") -> Call:
        call = call_of(self.log, self.clock, line=line)
        self.discovered.start(call)
        await turns()
        return call

    def at(self, host: str) -> Opened:
        return self.diallers[host].opened[-1]


async def test_calls_wait_for_the_first_answer() -> None:
    play = DiscoveryPlay()
    await play.passes(0)
    await play.call()
    await play.call(b"POST /any")
    await play.call()
    assert play.log == [Failed("SG4001")], "no more than may wait"
    assert play.discovered.figures()[2] == 2
    await play.names("a", ttl_s=1)
    for opened in play.diallers["a"].opened:
        opened.says(OK)
    assert play.log[1:] == [Whole(200, b"ok")] * 2
    assert play.told == ["no answer in time: 0 stay, first", "again"]


async def test_a_call_that_waits_for_an_answer_ends_in_time() -> None:
    play = DiscoveryPlay()
    await play.call()
    await play.passes(60)
    assert [type(each) for each in play.log] == [Failed]


async def test_who_left_finishes_what_it_was_asked_and_gets_nothing_more() -> None:
    play = DiscoveryPlay()
    await play.names("a")
    await play.call()
    await play.names("b")
    await play.call()
    await play.call()
    assert len(play.diallers["a"].opened) == 1
    assert play.at("a").connection.usable
    play.at("a").says(OK)
    assert play.log == [Whole(200, b"ok")]
    await play.passes(0.25)
    assert not play.at("a").connection.usable, "its connections are closed once it has nothing to do"
    assert len(play.diallers["b"].opened) == 2


async def test_a_read_that_fails_at_one_that_left_goes_to_one_that_joined() -> None:
    play = DiscoveryPlay()
    await play.names("a")
    await play.call()
    await play.names("b")
    play.at("a").ends()
    await turns()
    play.at("b").says(OK)
    assert play.log == [Whole(200, b"ok")]


async def test_nobody_leaves_while_dns_does_not_answer_or_names_nobody() -> None:
    play = DiscoveryPlay()
    await play.names("a", "b")
    play.says = DnsError("no resolver answers well")
    await play.passes(5)
    play.says = Answer([], 5.0)
    await play.passes(1)
    await play.passes(2)
    assert play.told == [
        "no resolver answers well: 2 stay, first",
        "it names no address: 2 stay",
        "it names no address: 2 stay",
    ]
    await play.call()
    await play.names("b", ttl_s=60)
    assert play.told[-1] == "again"
    assert [replica.name for replica in play.replicas.group.replicas] == ["b"]


async def test_who_joins_others_starts_slowly_and_takes_the_place_of_one_that_left() -> None:
    play = DiscoveryPlay()
    await play.names("a", "b")
    a, b = play.replicas.group.replicas
    assert (a.share, b.share) == (1, 1)
    await play.names("b", "c")
    await play.passes(0)
    c = play.replicas.group.replicas[1]
    assert c.name == "c"
    assert c.share < 1
    await play.names("b", "c", "d")
    assert play.replicas.group.replicas[2].index == a.index


async def test_dns_is_asked_once_at_a_time() -> None:
    play = DiscoveryPlay()
    gate = asyncio.Event()
    ask = play.ask

    async def slow() -> Answer:
        answer = await ask()
        await gate.wait()
        return answer

    play.discovered._ask = slow
    play.says = Answer([FoundReplica("a", 80)], 1.0)
    for _ in range(5):
        await play.passes(1)
    assert play.asked == 1
    gate.set()
    await turns()
    await play.passes(1)
    assert play.asked == 2
