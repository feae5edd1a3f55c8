"""How many requests one worker takes on while there are more than it can answer; the others are refused at once.

    calm ── rounds of the loop take longer than LATE_S, for BURST_S ──► sheds: in each step fewer lists, or more,
    calm ◄── nothing was refused for CALM_LOOKS ──────────────────────         so that a round takes ROUND_S_MAX

A request waits for one or two rounds of the loop at each of its steps, and a refusal waits as long. More requests under
way than keep the processor busy make rounds longer and answer nobody sooner. So the length of a round says how many are
too many. Lists cost the most, since they ask several shards, and are refused first. Others are refused where a few
lists are still too much.

Holds: what only waits does not count: it makes no round longer, and bounds rise while rounds are short. So many
requests as keep a worker busy are always taken on. A burst that is over in BURST_S refuses nobody, and neither do
clients that wait for each other's replies a little. While it sheds, the last quarter of the places is for clients that
have no more than an equal part.
Never: measures: each look and each round is told how things are.
"""

from typing import Final

WATCHED_FROM: Final = 16
"""Requests under way: with no more of them, nobody waits for long, and rounds are not measured."""
LATE_S: Final = 0.05
"""A longer round is late: each request waits for several. Before, it is cheaper to wait than to ask again."""
ROUND_S_MAX: Final = 0.006
"""While it sheds, a longer round is late. A refusal on an open connection waits for two rounds, on a new one for four:
with some that are twice as long, it comes within 50 ms."""
BURST_S: Final = 0.15
"""So long rounds may be late before anything is refused: what comes at once is mostly over by then."""
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
OTHERS_MIN: Final = 32
"""Other requests under way: a relay costs a fifth of what a list does, and a partner's booking is one."""


class Shedding:
    """One worker."""

    __slots__ = (
        "_calm_looks",
        "_draining_steps",
        "_late_rounds",
        "_late_s",
        "_most",
        "_refused",
        "_step_began_at",
        "_was_late",
        "_watches",
        "clients",
        "lists",
        "lists_max",
        "others_max",
    )

    def __init__(self, most: int) -> None:
        """`most`: requests that may ever be under way."""
        self._most = most
        self.lists = 0
        """Those under way."""
        self.lists_max = most
        """Lists under way beyond which a list is refused."""
        self.others_max = most
        """Others under way, without those that last, beyond which every other is refused."""
        self.clients = 1
        """How many have requests under way: the fair share of each is an equal part."""
        self._refused = False
        self._watches = False
        self._was_late = False
        self._calm_looks = 0
        self._draining_steps = 0
        self._begin_step(0.0)

    @property
    def is_shedding(self) -> bool:
        """Whether fewer are taken on than ever are."""
        return self.lists_max < self._most

    def used_up(self, mine: int, others: int, *, is_list: bool) -> str:
        """The budget that is used up, so that one more request is refused; empty: it is taken on.

        `mine`: what its client has under way, `others`: those under way that are no lists; both with this one.
        """
        under_way, most = (self.lists + 1, self.lists_max) if is_list else (others, self.others_max)
        if most >= self._most:
            return ""
        has_more = self.clients > 1 and mine > max(1, most // self.clients)
        if under_way <= (most - most // 4 if has_more else most):
            return ""
        self._refused = True
        return "fair_share" if has_more else "requests_in_flight"

    @property
    def watched_from(self) -> int:
        """Requests under way beyond which rounds are measured, and requests are asked about here."""
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
        self.clients = 1
        self._begin_step(0.0)

    def turned(self, began_at: float, ended_at: float, others: int) -> None:
        """A round of the loop is over. `others`: requests under way that are no lists and do not last."""
        if not self._step_began_at:
            self._begin_step(began_at)
        was_late, took_s = self._was_late, ended_at - began_at
        self._was_late = took_s > (ROUND_S_MAX if self.is_shedding else LATE_S)
        if self._was_late:
            self._late_s += took_s
            self._late_rounds += 1
        elapsed_s = ended_at - self._step_began_at
        if elapsed_s < (STEP_S if self.is_shedding else BURST_S):
            return
        # One round that takes long is a process that stood still.
        if 2 * self._late_s >= elapsed_s and (self.is_shedding or (was_late and self._was_late)):
            self._take_on_fewer(ROUND_S_MAX * self._late_rounds / self._late_s, others)
        else:
            self._take_on_more(others)
        self._begin_step(ended_at)

    def _take_on_fewer(self, factor: float, others: int) -> None:
        """Fewer; lists first. `factor`: how long a round may be, divided by how long they are.

        Slowly where it is near 1, or the processor would be idle between two steps.
        """
        self._calm_looks = 0
        steps, self._draining_steps = self._draining_steps, 0
        if (self.lists > self.lists_max or others > self.others_max) and steps < DRAINING_STEPS:
            self._draining_steps = steps + 1
            return
        if 0 < steps < DRAINING_STEPS:
            return  # what was late in this step was due to what has just ended
        factor = min(0.9, max(0.25, 2 * factor))
        if self.lists_max > LISTS_MIN:
            self.lists_max = self._fewer(self.lists, self.lists_max, factor, LISTS_MIN)
        else:
            self.others_max = self._fewer(others, self.others_max, factor, OTHERS_MIN)
        self._draining_steps = int(factor < 0.9)

    def _fewer(self, under_way: int, most: int, factor: float, least: int) -> int:
        base = most if 4 * under_way >= 3 * most else under_way  # the last quarter is not for everybody
        return min(self._most, max(least, int(base * factor)))

    def _take_on_more(self, others: int) -> None:
        """An eighth more, or half of that where some rounds were late; lists last.

        A bound of others that holds nothing back falls: they are not what is too much.
        """
        self._draining_steps = 0
        part = 16 if self._late_s else 8
        if self.others_max < self._most:
            more = self.others_max + self.others_max // part
            self.others_max = self._most if 2 * others < self.others_max else min(self._most, more)
        elif self.is_shedding:
            self.lists_max = min(self._most, self.lists_max + max(1, self.lists_max // part))

    def _begin_step(self, began_at: float) -> None:
        self._step_began_at = began_at
        self._late_s = 0.0
        self._late_rounds = 0
