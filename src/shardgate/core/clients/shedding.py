"""How many requests one worker takes on while there are more than it can answer; the others are refused at once.

    calm ── the loop is later than LATE_S, in BURST_S ───► sheds: in each step fewer lists, or more,
    calm ◄── nothing was refused for CALM_LOOKS ─────────         so that merges wait no longer than SHED_WAIT_S

What comes waits for the loop to end its round, at each of its steps, and a refusal waits as long. More requests under
way than keep the processor busy make rounds longer and answer nobody sooner. So how late the loop is says how many are
too many: samples are taken while there is much to do. A timer that the loop is late for is one; and where a round is so
long that the timer waits, each request that is handled meanwhile says so. Lists cost the most, since they ask several
shards, and are refused first. Others are refused where a few lists are still too much.

While it sheds, merges take turns, as many in a round as fit into some milliseconds, and one at least: what comes does
not wait for all that are ready. Those of better classes come first. A sample waits, too, until as many merges are made
as were ready. The loop may be no later than SHED_LATE_S, and what is in turn may wait for SHED_WAIT_S: that much work
is always there, whatever it costs, and refusals are as soon.

Where there are priority classes, this is done to the least important one until nothing of it is taken on; then, where
the loop is too late for another BURST_S, to the next, of which alone some are refused then: `level` is that class. What
is more important is taken on, all of it.

Holds: what only waits does not count: it makes the loop no later, and bounds rise while that is in time. So many
requests as keep a worker busy are always taken on. A burst that is over in BURST_S refuses nobody, and neither do
clients that wait for each other's replies a little. While it sheds, a client with more than an equal part leaves as
many places free as it has, or half of them: so others find one, also when they briefly want more than an equal part.
Never: measures: it is told how late the loop is.
"""

from math import inf
from typing import Final

WATCHED_FROM: Final = 16
"""Requests under way: with no more of them, nobody waits for long, and no samples are taken."""
SAMPLE_S: Final = 0.005
"""Between two samples. Each is the wait of a request that had come at that instant."""
SAMPLES_AT_ONCE: Final = 10
"""What one look at the clock says at most: a process that stood still for long was not overloaded. With half as many,
an overload was seen late where rounds were long: with two slow workers on one processor, after half a second."""
LATE_S: Final = 0.025
"""A loop that is later is too late, where this is so for most samples: rounds take 50 ms. Before, it is cheaper to wait
than to ask again."""
SHED_LATE_S: Final = 0.004
"""While it sheds, a loop that is later is too late: rounds take 8 ms. A refusal on an open connection waits for two
rounds, on a new one for four: with some that are twice as long, it comes within 50 ms."""
SHED_WAIT_S: Final = 0.03
"""While it sheds, merges that wait longer for their turn are too many. With much less, the processor is idle at times
where each takes some milliseconds."""
FEW: Final = 32
"""Clients that wait for their replies: while no more lists are under way, and no more others, nobody adds to what
waits. They are served, however heavy their lists are, until the loop is later than FEW_LATE_S."""
FEW_LATE_S: Final = 0.1
"""A round of 0.2 s: a list waits for two or three, and is answered long before any partner gives up."""
BURST_S: Final = 0.15
"""A class is squeezed where the loop is too late for most of this time: what comes at once is mostly over by then."""
LAST_BURST_S: Final = 0.08
"""The same for the last of several classes: it is there to be refused, and better ones wait for what it has begun."""
STEP_S: Final = 0.05
"""Between two changes of a bound: its effect is seen when what was under way before is over."""
DRAINING_STEPS: Final = 20
"""A bound is not lowered again while more is under way than it allows; but some of that may hang."""
CALM_LOOKS: Final = 4
"""An overload is over after so many looks without a refusal: a second."""
LASTING_S: Final = 5.0
"""A request that has been under way for so long waits for something else than this worker."""
LISTS_MIN: Final = 4
"""Lists under way: each waits for its shards most of the time. Where each takes long to merge, this is much."""
LIST_COST: Final = 5
"""Of what another request costs."""
CRUMB: Final = 0.05
"""Of what is under way of a class: it is not squeezed for less, when an overload begins that those behind it made."""
ENDS_BY_ITSELF: Final = 0.9
"""A class of which so much less is under way than a step before ends what it has: it asks for no more than it gets."""
OTHERS_MIN: Final = 32
"""Other requests under way: a relay costs a fifth of what a list does, and a partner's booking is one."""


class Shedding:
    """One worker."""

    __slots__ = (
        "_calm_looks",
        "_draining_steps",
        "_due_at",
        "_fired_at",
        "_late",
        "_least_rank",
        "_lists_of",
        "_most",
        "_others_of",
        "_recent",
        "_refused",
        "_samples",
        "_times_late",
        "_under_way_before",
        "_watches",
        "clients",
        "lasting_of",
        "late_at",
        "level",
        "lists",
        "lists_max",
        "others_max",
    )

    def __init__(self, most: int, classes: int = 1) -> None:
        """`most`: requests that may ever be under way. `classes`: of requests; rank 0 is refused last."""
        self._most = most
        self._least_rank = self.level = classes - 1
        self._lists_of, self._others_of = [0] * classes, [0] * classes
        self.lasting_of = [0] * classes
        """Others under way that last, by class."""
        self.lists = 0
        """Those under way."""
        self.lists_max = most
        """Lists under way beyond which a list is refused."""
        self.others_max = most
        """Others under way, without those that last, beyond which every other is refused."""
        self.clients = 0
        """How many have requests under way: the fair share of each is an equal part. 0: not counted yet."""
        self._due_at = self._fired_at = 0.0
        self.late_at = inf
        """A request that is handled later finds the loop too late for the sample that is due."""
        self._refused = False
        self._watches = False
        self._calm_looks = 0
        self._draining_steps = 0
        self._recent = 0
        """While there is no overload: a bit for each sample of the last BURST_S, the newest last; 1: it was late."""
        self._under_way_before = 0
        """What was under way of the classes up to `level` when it was looked at last."""
        self._begin_step()

    @property
    def is_shedding(self) -> bool:
        """Whether fewer are taken on than ever are."""
        return self.lists_max < self._most or self.level < self._least_rank

    @property
    def is_ranked(self) -> bool:
        """Whether there are several classes: each request begins and ends here then."""
        return self._least_rank > 0

    def begin(self, rank: int, *, is_list: bool) -> None:
        """A request of a class is taken on."""
        (self._lists_of if is_list else self._others_of)[rank] += 1

    def end(self, rank: int, *, is_list: bool) -> None:
        """It is over."""
        (self._lists_of if is_list else self._others_of)[rank] -= 1

    @property
    def others_here(self) -> int:
        """Where there are classes: what is under way of those up to `level`, no lists, and without what lasts."""
        up_to = self.level + 1
        return sum(self._others_of[:up_to]) - sum(self.lasting_of[:up_to])

    @property
    def _lists_here(self) -> int:
        return sum(self._lists_of[: self.level + 1]) if self._least_rank else self.lists

    def used_up(self, mine: int, others: int, *, is_list: bool, rank: int = 0) -> str:
        """The budget that is used up, so that one more request is refused; empty: it is taken on.

        `mine`: what its client has under way, `others`: those under way that are no lists, `others_here` where there
        are classes; both with this one.
        """
        if rank != self.level:
            if rank < self.level:
                return ""
            self._refused = True
            return "priority"
        under_way, most = (self._lists_here + 1, self.lists_max) if is_list else (others, self.others_max)
        if most >= self._most:
            return ""
        has_more = self.clients > 1 and mine > max(1, most // self.clients)
        if under_way <= (most - min(mine, most // 2) if has_more else most):
            return ""
        self._refused = True
        return "fair_share" if has_more else "requests_in_flight"

    @property
    def watched_from(self) -> int:
        """Requests under way beyond which samples are taken, and requests are asked about here."""
        return 0 if self._watches or self.is_shedding else WATCHED_FROM

    def look(self, lag_s: float) -> None:
        """Four times a second: how late the loop is. Where nothing was refused for a while, an overload is over."""
        if self._refused or lag_s > LATE_S:
            self._watches = True
            self._calm_looks = 0
        self._calm_looks += 1
        self._refused = False
        if self._calm_looks > CALM_LOOKS:
            self.calm()

    def calm(self) -> None:
        """There is no overload: everything is taken on."""
        self._watches = False
        self.lists_max = self.others_max = self._most
        self.level = self._least_rank
        self.clients = 0
        self._draining_steps = self._recent = 0
        self._begin_step()

    @property
    def _late_s_max(self) -> float:
        return SHED_LATE_S if self.is_shedding else LATE_S

    def expect(self, now_s: float) -> float:
        """A sample is wanted. When it is due."""
        self._due_at = now_s + SAMPLE_S
        self._fired_at = 0.0
        self.late_at = self._due_at + self._late_s_max
        return self._due_at

    def waits(self, now_s: float) -> None:
        """The loop has come to the sample that was due; it waits in turn, behind merges."""
        self._fired_at = now_s
        self.late_at = self._due_at + SHED_WAIT_S

    def is_late(self, now_s: float, others: int) -> None:
        """It is later than `late_at`, and the sample's turn has not come yet.

        `others`: requests under way that are no lists and do not last.
        """
        late_s_max = SHED_WAIT_S if self._fired_at else self._late_s_max
        self._sample_up_to(now_s - late_s_max, now_s, others)
        self._due_at = max(self._due_at, now_s - late_s_max)  # what is more than SAMPLES_AT_ONCE is not for the next
        self.late_at = max(self._due_at + late_s_max, now_s + SAMPLE_S)

    def sampled(self, now_s: float, others: int) -> None:
        """The sample that was due has its turn."""
        self._sample_up_to(now_s, now_s, others)
        self.late_at = inf

    def _sample_up_to(self, until_s: float, now_s: float, others: int) -> None:
        """Take the samples that were due until this instant."""
        was_shedding = self.is_shedding
        for _ in range(max(1, min(SAMPLES_AT_ONCE, int((until_s - self._due_at) / SAMPLE_S)))):
            self._take_in(now_s, others)
            self._due_at += SAMPLE_S
            if self.is_shedding is not was_shedding:
                return  # the others are of the time before

    def _take_in(self, now_s: float, others: int) -> None:
        self._samples += 1
        times_late = self._how_late(now_s, others)
        is_late = times_late > 1.0
        if is_late:
            self._late += 1
            self._times_late += times_late
        if not self.is_shedding:
            self._may_begin(is_late, others)
            return
        if self._samples * SAMPLE_S < self._step_s:
            return
        if 2 * self._late > self._samples:
            self._take_on_fewer(self._late / self._times_late, others)
        else:
            self._take_on_more(others)
        self._begin_step()

    def _how_late(self, now_s: float, others: int) -> float:
        """How late a sample is, divided by how late it may be."""
        late_s = now_s - self._due_at
        if not self.is_shedding:
            is_few = self._lists_here <= FEW and others <= FEW
            return late_s / (FEW_LATE_S if is_few else LATE_S)
        if not self._fired_at:
            return late_s / SHED_LATE_S
        return max((self._fired_at - self._due_at) / SHED_LATE_S, (now_s - self._fired_at) / SHED_WAIT_S)

    def _may_begin(self, is_late: bool, others: int) -> None:
        """Most of the last samples were late: an overload begins, wherever in them the first of these was."""
        samples = round((LAST_BURST_S if self._least_rank else BURST_S) / SAMPLE_S)
        self._recent = (self._recent << 1 | is_late) & ((1 << samples) - 1)
        if 2 * self._recent.bit_count() > samples:
            self._recent = 0
            # What is under way was taken on before merges took turns: it makes rounds, and they may take SHED_LATE_S.
            self._take_on_fewer(SHED_LATE_S / LATE_S * self._late / self._times_late, others)
            self._begin_step()
        elif not self._recent:
            self._begin_step()

    @property
    def _step_s(self) -> float:
        return STEP_S if self.lists_max < self._most else BURST_S

    def _take_on_fewer(self, factor: float, others: int) -> None:
        """Fewer; lists first. `factor`: how late the loop may be, divided by how late it is.

        Slowly where it is near 1, or the processor would be idle between two steps.
        """
        self._calm_looks = 0
        if self._ends_by_itself():
            return
        steps, self._draining_steps = self._draining_steps, 0
        lists = self._lists_here
        is_draining = lists > self.lists_max or others > self.others_max
        if self._least_rank:
            is_draining = self._drains(is_draining)
        if is_draining and steps < DRAINING_STEPS:
            self._draining_steps = steps + 1
            return
        if 0 < steps < DRAINING_STEPS:
            return  # what was late in this step was due to what has just ended
        factor = min(0.9, max(0.25, 2 * factor))
        self._draining_steps = int(factor < 0.9)
        if self.level:
            self._cut_classes(1 - factor)
        elif self.lists_max > LISTS_MIN:
            self.lists_max = self._fewer(lists, self.lists_max, factor, LISTS_MIN)
        else:
            self.others_max = self._fewer(others, self.others_max, factor, OTHERS_MIN)

    def _ends_by_itself(self) -> bool:
        """Whether a class that is squeezed, and of which nothing is refused yet, ends more than it begins.

        It was held up by those behind it, and has what it began then under way still.
        """
        if self.lists_max < self._most or self.level == self._least_rank:
            return False
        before, self._under_way_before = self._under_way_before, sum(self._costs()[: self.level + 1])
        return self._under_way_before < ENDS_BY_ITSELF * before

    def _drains(self, has_more: bool) -> bool:
        """Whether what was late is due to what is under way of classes that are refused, or of the one at `level`."""
        costs, level = self._costs(), self.level
        return any(costs[level + 1 :]) or (has_more and costs[level] > 0)

    def _costs(self) -> list[int]:
        """What is under way of each class."""
        counts = zip(self._lists_of, self._others_of, self.lasting_of, strict=True)
        return [LIST_COST * lists + others - lasting for lists, others, lasting in counts]

    def _cut_classes(self, part: float) -> None:
        """Take on less by this part of what is under way: the class at `level` first, and of a class its lists first.

        Only an overload that begins may cut several classes at once: later, a moment of lateness would hit the next. So
        a class is squeezed no sooner than BURST_S after the one before it has gone.
        """
        costs = self._costs()
        excess = part * sum(costs[: self.level + 1])
        if self.is_shedding:
            if not costs[self.level]:
                self._squeeze(self.level - 1, self._most, self._most)
                return
            excess = min(excess, costs[self.level])
        while self.level and excess - costs[self.level] > CRUMB * costs[self.level - 1]:
            excess -= costs[self.level]
            self._squeeze(self.level - 1, self._most, self._most)
        lists_min, others_min = (0, 0) if self.level else (LISTS_MIN, OTHERS_MIN)
        self.lists_max = min(self._most, max(lists_min, int(self._lists_here - excess / LIST_COST)))
        if (left := excess - LIST_COST * self._lists_of[self.level]) >= 0:
            self.lists_max = lists_min  # lists of better classes that end leave no room for its own
            self.others_max = min(self._most, max(others_min, int(self.others_here - left)))

    def _squeeze(self, level: int, lists_max: int, others_max: int) -> None:
        self.level, self.lists_max, self.others_max = level, lists_max, others_max
        self._under_way_before = sum(self._costs()[: level + 1])

    def _fewer(self, under_way: int, most: int, factor: float, least: int) -> int:
        base = most if 2 * under_way >= most else under_way  # up to half is not for everybody
        return min(self._most, max(least, int(base * factor)))

    def _take_on_more(self, others: int) -> None:
        """An eighth more, or half of that where the loop was too late at times; lists last.

        A bound of others that holds nothing back falls: they are not what is too much.
        """
        self._draining_steps = 0
        part = 16 if self._late else 8
        if self.others_max < self._most:
            more = self.others_max + max(1, self.others_max // part)
            self.others_max = self._most if 2 * others < self.others_max else min(self._most, more)
        elif self.level < self._least_rank and 2 * self._lists_here < self.lists_max:
            # This class has all that it wants.
            self._squeeze(self.level + 1, self._lists_here + LISTS_MIN, self.others_here + OTHERS_MIN)
        elif self.is_shedding:
            self.lists_max = min(self._most, self.lists_max + max(1, self.lists_max // part))

    def _begin_step(self) -> None:
        self._samples = self._late = 0
        self._times_late = 0.0
