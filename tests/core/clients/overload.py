"""A worker of which more is asked than it can do, in simulated time: rounds of its loop, what each step of a request
takes of the processor, and clients that do not wait for each other."""

import heapq
import random
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from shardgate.core.clients.shedding import Shedding
from shardgate.net.turns import LAST_ONE_IN, TURN_S

LOOK_S = 0.25
EVENTS_OF_A_ROUND = 48 * 1024
"""libuv asks the system so often for 1024 sockets before it goes on."""
SHARDS_S = 0.02
"""What shards take for a request."""
COSTS_S = {"list": 0.00106, "read": 0.0001, "refusal": 0.000028, "accept": 0.0001}
"""Of the processor, measured: lists of 1,200 rows; refusals and connections with what the kernel does for them."""
BEFORE = 0.1
"""Of a list's work, what is done before shards are asked."""
MERGED = 0.85
"""The same: its merge."""
READ_BEFORE = 0.3
"""Of a read's work, what is done before its shard is asked."""


@dataclass
class Sent:
    """One request."""

    at_s: float
    kind: str
    client: int
    took_s: float = 0.0
    is_refused: bool = False


@dataclass
class Worker:
    """One worker under an open load."""

    seed: int
    rates: Mapping[str, float]
    """Requests a second of each kind."""
    lasts_s: float
    greedy_rate: float = 0.0
    """Lists a second of one more client."""
    clients: int = 10
    fresh: float = 0.03
    """The share of requests that come on a new connection."""
    most: int = 10_000
    ranks: Sequence[int] = ()
    """The priority class of each client, the greedy one last; empty: there are no classes."""
    slow: float = 1.0
    """How many times as long everything takes the processor."""
    now_s: float = 0.0
    others: int = 0
    over: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.shedding = Shedding(self.most, max(self.ranks, default=0) + 1)
        self._under_way: Counter[int] = Counter()
        self._events: list[tuple[float, int, str, Sent]] = []
        self._numbers = count()
        self._looked_at = 0.0
        self._sampled_at = 0.0
        self._merges: list[deque[Sent]] = [deque() for _ in range(max(self.ranks, default=0) + 1)]
        """Those that wait for their turn, while it sheds, by rank."""
        self._turns = 0
        self._mark = 0
        """A sample is taken after so many turns; 0: none waits."""

    def run(self) -> "Worker":
        on_one_processor([self])
        return self

    @property
    def due_s(self) -> float:
        """When it has something to do."""
        if any(self._merges):
            return self.now_s
        event_s = self._events[0][0] if self._events else self.lasts_s
        return min(event_s, self._looked_at + LOOK_S, self._sampled_at or self.lasts_s)

    def turn(self, now_s: float) -> None:
        """One round of its loop."""
        self.now_s, events = now_s, self._events
        if self.now_s >= self._looked_at + LOOK_S:
            self._look()
        if 0 < self._sampled_at <= self.now_s:
            self._sample()
        batch: list[tuple[float, int, str, Sent]] = []
        while events and events[0][0] <= self.now_s and len(batch) < EVENTS_OF_A_ROUND:
            batch.append(heapq.heappop(events))
        self._round(batch)
        began_s, longest_s = self.now_s, 0.0
        while any(self._merges) and self.now_s + longest_s <= began_s + TURN_S:
            at_s = self.now_s
            self._turn()
            longest_s = max(longest_s, self.now_s - at_s)

    def answered(self, kind: str, from_s: float = 1.0) -> float:
        """A second."""
        ended = [each for each in self.over if not each.is_refused and each.kind == kind]
        return sum(from_s <= each.at_s + each.took_s < self.lasts_s for each in ended) / (self.lasts_s - from_s)

    def waits(self, *, refused: bool, from_s: float = 1.0, client: int | None = None) -> list[float]:
        """How long the requests took that came from then on, the shortest first."""
        wanted = [each for each in self.over if each.is_refused is refused and each.at_s >= from_s]
        return sorted(each.took_s for each in wanted if client is None or each.client == client)

    def refused(self, kind: str = "", *, client: int | None = None) -> int:
        found = [each for each in self.over if each.is_refused and kind in {"", each.kind}]
        return sum(client is None or each.client == client for each in found)

    def by_rank(self, kind: str, rank: int, from_s: float = 1.0) -> tuple[float, float]:
        """What was answered and refused of a class, a second."""
        mine = [
            each
            for each in self.over
            if each.kind == kind and self._rank(each) == rank and each.at_s + each.took_s >= from_s
        ]
        refused, seconds = sum(each.is_refused for each in mine), self.lasts_s - from_s
        return (len(mine) - refused) / seconds, refused / seconds

    def _rank(self, sent: Sent) -> int:
        return self.ranks[sent.client] if self.ranks else 0

    @property
    def _others_here(self) -> int:
        return self.shedding.others_here if self.ranks else self.others

    def send(self) -> None:
        """All that its clients send."""
        for kind, rate in [*self.rates.items(), ("greedy", self.greedy_rate)]:
            at_s = 0.0
            while rate and (at_s := at_s + self.chance.expovariate(rate)) < self.lasts_s:
                client = self.clients if kind == "greedy" else self.chance.randrange(self.clients)
                sent = Sent(at_s, "list" if kind == "greedy" else kind, client)
                self._happens(at_s, "accept" if self.chance.random() < self.fresh else "read", sent)

    def _happens(self, at_s: float, what: str, sent: Sent) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), what, sent))

    def _look(self) -> None:
        shedding = self.shedding
        shedding.look(self.now_s - self._looked_at - LOOK_S)
        self._looked_at = self.now_s
        shedding.clients = max(1, sum(each > 0 for each in self._under_way.values()))

    def _sample(self) -> None:
        self._sampled_at = self.lasts_s
        if any(self._merges):
            self.shedding.waits(self.now_s)
            self._mark = self._turns + sum(map(len, self._merges))
        else:
            self._sampled()

    def _sampled(self) -> None:
        self.shedding.sampled(self.now_s, self._others_here)
        wanted = self.shedding.lists + self.others > self.shedding.watched_from
        self._sampled_at = self.shedding.expect(self.now_s) if wanted else 0.0

    def _round(self, batch: list[tuple[float, int, str, Sent]]) -> None:
        self.chance.shuffle(batch)
        at_s = self.now_s
        for _, _, what, sent in batch:
            if what == "accept":
                at_s += COSTS_S["accept"] * self.slow
                self._happens(at_s, "made", sent)
            elif what == "made":  # its bytes are read in the round behind
                self._happens(at_s, "read", sent)
            elif what == "read":
                at_s = self._begin(sent, at_s)
            elif sent.kind == "list" and self.shedding.is_shedding:
                at_s += (1 - BEFORE - MERGED) * COSTS_S["list"] * self.slow
                self._merges[self._rank(sent)].append(sent)
            else:
                at_s = self._end(sent, at_s)
        self.now_s = at_s

    def _turn(self) -> None:
        """What waits longest for its turn."""
        self._turns += 1
        sent = next(filter(None, self._merges if self._turns % LAST_ONE_IN else self._merges[::-1])).popleft()
        self.now_s = self._end(sent, self.now_s, MERGED)
        if 0 < self._mark <= self._turns:
            self._mark = 0
            self._sampled()

    def _begin(self, sent: Sent, at_s: float) -> float:
        shedding, mine = self.shedding, self._under_way[sent.client] + 1
        is_list = sent.kind == "list"
        if not self._sampled_at and shedding.lists + self.others + 1 > shedding.watched_from:
            self._sampled_at = shedding.expect(at_s)
        elif at_s > shedding.late_at:
            shedding.is_late(at_s, self._others_here)
        rank = self._rank(sent)
        if shedding.used_up(mine, self._others_here + 1, is_list=is_list, rank=rank):
            at_s += COSTS_S["refusal"] * self.slow
            sent.is_refused, sent.took_s = True, at_s - sent.at_s
            self.over.append(sent)
            return at_s
        self._under_way[sent.client] = mine
        shedding.begin(rank, is_list=is_list)
        shedding.lists += is_list
        self.others += not is_list
        at_s += (BEFORE if is_list else READ_BEFORE) * COSTS_S[sent.kind] * self.slow
        self._happens(at_s + SHARDS_S * self.chance.uniform(0.8, 1.3), "reply", sent)
        return at_s

    def _end(self, sent: Sent, at_s: float, left: float | None = None) -> float:
        """`left`: of its work; None: all that comes behind its shards' replies."""
        is_list = sent.kind == "list"
        self._under_way[sent.client] -= 1
        self.shedding.end(self._rank(sent), is_list=is_list)
        self.shedding.lists -= is_list
        self.others -= not is_list
        left = (1 - (BEFORE if is_list else READ_BEFORE)) if left is None else left
        at_s += left * COSTS_S[sent.kind] * self.slow
        sent.took_s = at_s - sent.at_s
        self.over.append(sent)
        return at_s


def on_one_processor(workers: Sequence[Worker]) -> None:
    """Run workers that share a processor: of those that have something to do, the one that has waited longest."""
    for each in workers:
        each.send()
    now_s = 0.0
    while now_s < workers[0].lasts_s:
        due_s = min(each.due_s for each in workers)
        now_s = max(now_s, due_s)
        ready = [each for each in workers if each.due_s <= now_s]
        chosen = min(ready, key=lambda each: each.now_s)
        chosen.turn(now_s)
        now_s = chosen.now_s
