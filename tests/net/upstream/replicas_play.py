"""The replicas of a shard on the stage: the test is each replica, and the clock."""

from dataclasses import dataclass, field
from typing import Any

from shardgate.core.replicas.group import Group
from shardgate.core.replicas.settings import HealthCheck, Member, ReplicaGuards
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.upstream.pool import Pool, PoolSettings
from shardgate.net.upstream.replicas import Replicas
from shardgate.net.watch import Watch
from tests.net.screenplay import Clock
from tests.net.upstream.play import DiallerOfTheTest, Opened, call_of, turns


@dataclass
class Events:
    log: list[str] = field(default_factory=list)

    def left_out(self, name: str, for_s: float, why: str, *, is_asked: bool) -> None:
        self.log.append(f"{name} left out for {for_s:g}{', and asked' if is_asked else ''}")

    def came_back(self, name: str) -> None:
        self.log.append(f"{name} back")

    def checked(self, name: str, *, is_well: bool, why: str, is_asked: bool) -> None:
        self.log.append(f"{name} {'well' if is_well else 'unwell'}{', and asked' if is_asked and not is_well else ''}")

    def retried(self) -> None:
        self.log.append("retried")

    def hedged(self) -> None:
        self.log.append("hedged")


class ReplicasPlay:
    """Replicas over fake connections. The first call goes to replica 0, unless a test says otherwise by weights."""

    def __init__(self, *members: Member, check: HealthCheck | None = None, **guards: Any) -> None:
        self.clock = Clock()
        self.watch = Watch(self.clock)
        self.events = Events()
        self.diallers = [DiallerOfTheTest() for _ in members]
        for dialler in self.diallers:
            dialler.may_connect.set()
        self.group = Group(members, ReplicaGuards(**guards), check, None, self.clock())
        self.members = [*members]
        pools = [self._pool(dialler) for dialler in self.diallers]
        self.replicas = Replicas(self.group, pools, self.watch, self.events, OwnChanges())
        self.known = [*self.group.replicas]
        """Everybody who ever was a replica, as `diallers` and `members` are."""
        self.log: list[Any] = []

    def _pool(self, dialler: DiallerOfTheTest) -> Pool:
        return Pool(dialler, self.watch, PoolSettings(4, 4, idle_timeout_s=1000.0))

    def join(self, member: Member) -> None:
        """One more replica, as DNS says."""
        dialler = DiallerOfTheTest()
        dialler.may_connect.set()
        name = str(len(self.diallers))
        self.diallers.append(dialler)
        self.members.append(member)
        self.known += self.replicas.change([(name, member, self._pool(dialler))], ())

    def leave(self, index: int) -> None:
        """One less."""
        self.replicas.change((), {str(index)})

    async def call(self, line: bytes = b"GET /any", **details: Any) -> Call:
        call = call_of(self.log, self.clock, line=line, **details)
        self.replicas.start(call)
        await turns()
        return call

    def at(self, index: int) -> Opened:
        """The newest connection of a replica."""
        return self.diallers[index].opened[-1]

    def asked(self) -> list[int]:
        """How many connections each replica has."""
        return [len(dialler.opened) for dialler in self.diallers]

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.watch.look()

    def is_at_rest(self) -> bool:
        return all(not replica.in_flight for replica in self.known)
