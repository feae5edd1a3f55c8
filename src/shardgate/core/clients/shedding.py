"""How many requests a worker takes on while it has more to do than it can: the others are refused at once, not late.

        lag > 50 ms at two looks               no lag
    all ─────────────────────────► a quarter less ──────► an eighth more at each look, until it is all again
                                     ▲       │ still lags
                                     └───────┘

Where no more than half of what is taken on is under way, the overload is over: all is taken on again at once.

A request waits as long as the loop lags behind, at each of its steps. With fewer of them under way, each is answered
sooner, and just as many are answered in a second. Lists cost the most, since they ask several shards, and are refused
first.

Holds: what only waits does not count: a request that has been under way for seconds is a stream, or has a slow client
or a slow shard. So many requests as keep a worker busy are always taken on. A hiccup of one look refuses nobody.
Never: measures: each look is told how things are.
"""

from typing import Final

from shardgate.core.clients.crowd import LAG_S_MAX

LASTING_S: Final = 5.0
"""A request that has been under way for so long waits for something else than this worker."""
GATHERS_MIN: Final = 64
"""So many lists keep a worker busy: each waits for its shards most of the time."""
RELAYS_FOR_ONE_GATHER: Final = 2
"""A relay costs a fifth of what a gather does, but a partner's booking is one: it is refused later."""


class Shedding:
    """One worker."""

    __slots__ = ("_most", "_was_late", "gathers_max")

    def __init__(self, most: int) -> None:
        """`most`: requests that may ever be under way."""
        self._most = most
        self._was_late = False
        self.gathers_max = most
        """Requests under way beyond which lists are refused."""

    @property
    def in_flight_max(self) -> int:
        """Requests under way beyond which every other is refused."""
        return min(self._most, RELAYS_FOR_ONE_GATHER * self.gathers_max)

    @property
    def is_shedding(self) -> bool:
        """Whether fewer are taken on than ever are."""
        return self.gathers_max < self._most

    def look(self, lag_s: float, under_way: int) -> None:
        """Take in how late the loop is, and how many requests are under way, without those that last."""
        is_late = lag_s > LAG_S_MAX
        if is_late and self._was_late:
            fewer = min(self.gathers_max, under_way) * 3 // 4
            self.gathers_max = min(self._most, max(GATHERS_MIN, fewer))
        elif not is_late and self.is_shedding:
            is_over = under_way < self.gathers_max // 2  # the bound holds nothing back
            self.gathers_max = self._most if is_over else min(self._most, self.gathers_max + self.gathers_max // 8)
        self._was_late = is_late
