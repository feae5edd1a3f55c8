"""Whether an address answers at all: judged several times a second, from what its connections are seen to do.

                 calls wait, and none is answered for 2 s
    answering ────────────────────────────────────────────► silent
        ▲            a call is answered; or none waits         │
        └──────────────────────────────────────────────────────┘

An instance may hang: it accepts connections, and answers nothing. While it is silent, calls that another shard can
answer go there. Where all its connections are taken, one more a second is opened for a call that waits: it finds out
whether the instance answers again. Once it does, the calls that were sent during the silence and are still not answered
are lost, or slow: their connections do not count any more, so that they keep no other call from being sent.

Holds: a single answered call ends the silence. At most twice as many connections are open as otherwise.
Never: reads a clock, ends a call that only this address can answer, or takes a pause of the gateway itself for silence.
"""

from collections.abc import Set as AbstractSet

from shardgate.core.limits import GIVE_WAY_S, LOOK_S_MAX, SILENCE_FORGOTTEN_S, SILENT_S, TRIAL_EVERY_S, TRIALS_MAX


class Silence:
    """One address."""

    __slots__ = (
        "_connections_max",
        "_discounts",
        "_floor_s",
        "_looked_at",
        "_lost",
        "_quiet_s",
        "_trial_at",
        "_trials",
        "awaiting",
        "is_silent",
        "more",
    )

    def __init__(self, connections_max: int, now_s: float) -> None:
        self._connections_max = connections_max
        self._looked_at = now_s
        self._quiet_s = 0.0
        self._floor_s = 0.0  # where the last silence was only forgotten, the next one needs less to be seen
        self._trial_at = 0.0
        self._trials = 0
        self._lost: frozenset[object] = frozenset()  # sent in the last silence, and still not answered
        self._discounts = False  # calls sent after these were answered before them
        self.awaiting: frozenset[object] = frozenset()
        """The calls that waited for their first byte when it was last looked, where none was answered."""
        self.is_silent = False
        self.more = 0
        """So many connections may be open beyond the bound."""

    @property
    def is_calm(self) -> bool:
        """Whether one answered call says all that there is to know."""
        return not self.is_silent and not self._lost

    def look(self, now_s: float, awaiting: AbstractSet[object], answered: int, *, queued: bool = False) -> None:
        """Take in what is seen.

        `awaiting`: the calls that were sent, and of whose reply no byte has come. `answered`: how many calls were
        answered since it was last looked. `queued`: calls wait for a connection.
        """
        passed_s, self._looked_at = min(now_s - self._looked_at, LOOK_S_MAX), now_s
        if self._lost:
            self._remember(self._lost, awaiting, answered)
        if answered:
            if self.is_silent:
                self._discounts = False
                self._remember(self.awaiting, awaiting, answered)
            self.is_silent = False
            self._quiet_s, self._floor_s, self._trials, self.awaiting = 0.0, 0.0, 0, frozenset()
        elif awaiting - self._lost if self._discounts else awaiting:  # lost calls say nothing new
            self.awaiting = frozenset(awaiting)
            self._quiet_s += passed_s
            self._try(now_s, queued=queued)
        else:
            self._rest(passed_s)
        lost = min(len(self._lost), self._connections_max) if self._discounts else 0
        self.more = self._trials + lost

    def _remember(self, sent: frozenset[object], awaiting: AbstractSet[object], answered: int) -> None:
        """Remember which of the calls sent in the silence are still not answered, and whether later ones were."""
        self._lost = sent & awaiting
        self._discounts = bool(self._lost) and (self._discounts or answered > len(sent) - len(self._lost))

    def _try(self, now_s: float, *, queued: bool) -> None:
        """Nothing is answered: is it silent by now, and is it time to try with one more connection?"""
        if not self.is_silent and self._quiet_s >= SILENT_S:
            self.is_silent = True
            self._trial_at = now_s
        if self.is_silent and queued and now_s >= self._trial_at and self._trials < TRIALS_MAX:
            self._trial_at = now_s + TRIAL_EVERY_S
            self._trials += 1

    def _rest(self, passed_s: float) -> None:
        """Nothing waits for the address: after a while it is taken to answer, so that it is asked again."""
        self.awaiting = frozenset()
        self._trials = 0
        self._quiet_s = self._quiet_s - passed_s if self.is_silent else self._floor_s
        if self._quiet_s <= SILENT_S - SILENCE_FORGOTTEN_S:
            self.is_silent = False
            self._quiet_s = self._floor_s = SILENT_S - GIVE_WAY_S
