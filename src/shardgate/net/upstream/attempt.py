"""One call on its way through the replicas of a shard: after a failure to the next one, and when late to a second one.

    sent ──reply──► answered
      │ failure, and another may answer ──► sent to the next
      │ late ──► hedged: the same request goes to a second replica, and the first reply wins

A call has an attempt of its own from its first trouble on; before, its replica looks after it (`replicas.py`). A hedge
is a call of its own until its reply begins. Then its connection carries the first call, whose owner notices nothing.

Holds: counts of calls under way are exact, whichever way a call ends.
"""

from math import inf
from typing import Protocol

from shardgate.core.errors import (
    BrokenReplyError,
    DeadlineError,
    LostReplyError,
    ShardDownError,
    ShardgateError,
)
from shardgate.core.replicas.group import Group, Replica
from shardgate.net.upstream.call import Call, CallAttempt

# Failures that speak against a replica. The others are the gateway's own (no room) or the client's (it does not read).
_OF_REPLICA = (ShardDownError, BrokenReplyError, LostReplyError, DeadlineError)


class Origin(Protocol):
    """The replicas that an attempt is made at."""

    group: Group

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""

    def needs_leader(self, call: Call) -> bool:
        """Whether only replicas that take changes may answer it."""

    def send(self, replica: Replica, call: Call) -> None:
        """Send the call to this replica."""

    def failed(self, replica: Replica, why: str, call: Call, *, broke_off: bool = False) -> None:
        """A call failed. `broke_off`: its reply had begun."""

    def answered(self, replica: Replica, took_s: float) -> None:
        """A reply has begun that is no failure."""

    def retried(self) -> None:
        """A call is sent again."""

    def over(self, call: Call) -> None:
        """The call is over."""


class Attempt(CallAttempt):
    """One call at one replica after another."""

    __slots__ = (
        "_hedge",
        "_of",
        "_origin",
        "_sent_at",
        "_tried",
        "_tries",
        "_was_answered",
        "call",
        "replica",
        "waits_for_hedge",
    )

    def __init__(self, origin: Origin, call: Call, replica: Replica, of: "Attempt | None" = None) -> None:
        self._origin = origin
        self.call = call
        self.replica = replica
        self._of = of  # the attempt that this one is the hedge of
        self._hedge: Attempt | None = None
        self._tried = 1 << replica.index
        self._tries = 1
        self._sent_at = call.started_at
        self._was_answered = False
        self.waits_for_hedge = False
        """Its own replica has failed."""
        call.attempt = self

    @property
    def may_hedge(self) -> bool:
        """Whether a second replica may be asked, too."""
        call = self.call
        may_be_sent_twice = call.reads and call.hedge_after_s < inf and not call.offers and not call.done
        return may_be_sent_twice and not self._was_answered and self._hedge is None and self._of is None

    def hedge(self) -> bool:
        """Ask a second replica, too. Whether there is one that may be asked."""
        origin, call = self._origin, self.call
        now_s = origin.now()
        replica = origin.group.hedge(self._tried, now_s, changes=origin.needs_leader(call))
        if replica is None:
            return False
        self._tried |= 1 << replica.index
        hedge = self._hedge = Attempt(origin, call.twin(), replica, self)
        hedge.send(now_s)
        return True

    def send(self, now_s: float) -> None:
        """Send the call to its replica."""
        self._sent_at = now_s
        self.replica.in_flight += 1
        self._origin.send(self.replica, self.call)

    def answered(self, call: Call, status: int) -> Call | None:
        """The head of a reply has come. The call that goes on with it; None: none does."""
        origin = self._origin
        self._was_answered = True
        if not origin.group.is_failure(status):
            origin.answered(self.replica, origin.now() - self._sent_at)
        else:
            origin.failed(self.replica, f"status {status}", self.call)
            if call.repeatable and origin.group.may_retry(status) and self._another_answers():
                return None
        if self._of is not None:
            return self._of.taken_over_by(self)
        self._drop_hedge()
        return call

    def failed(self, call: Call, error: ShardgateError) -> bool:
        """There is no reply, or no more of it. Whether the call goes on at another replica."""
        if isinstance(error, _OF_REPLICA) and not self.waits_for_hedge:
            self._origin.failed(self.replica, error.log or error.detail, call, broke_off=call.has_begun)
        if self._of is not None:
            self._of.hedge_failed(error)
            return True
        carrier = call.carrier
        passes_on = carrier is not None and carrier.has_head
        nothing_was_sent = isinstance(error, ShardDownError) and call.upload is None
        if not ((call.repeatable and not passes_on) or nothing_was_sent):
            return False
        # A change is rather refused than sent to a replica that is not well.
        if not self._another_answers(no_reply=call.reads):
            return False
        if call.has_begun:
            call.begin_anew()
        return True

    def declared(self, call: Call, why: str) -> bool:
        """The reply says in its body that it failed. Whether the call goes on at another replica.

        It counts as one that broke off: its head has counted as a success.
        """
        self._origin.failed(self.replica, why, call, broke_off=True)
        if call.done or not call.repeatable or not self._another_answers():
            return False
        call.begin_anew()
        return True

    def over(self, call: Call) -> None:
        """The call is over."""
        call.attempt = None  # break the reference cycle, which would be left to the garbage collector
        self.replica.in_flight -= 1
        self._drop_hedge()
        self._origin.over(call)

    def _another_answers(self, *, no_reply: bool = False) -> bool:
        """Leave this replica, where another one may answer: the hedge, the first one, or the next. `no_reply`: as for
        `Group.retry`."""
        origin, call = self._origin, self.call
        if self._of is not None:
            if self._of.waits_for_hedge:
                return False
            self._of.hedge_failed(None)
            return True
        if self._hedge is not None:
            self.waits_for_hedge = True
            call.detach()
            return True
        now_s = origin.now()
        if now_s >= call.begins_by:
            return False
        changes = origin.needs_leader(call)
        replica = origin.group.retry(self._tried, self._tries, now_s, changes=changes, no_reply=no_reply)
        if replica is None:
            return False
        origin.retried()
        call.detach()
        self.replica.in_flight -= 1
        self.replica = replica
        self._tried |= 1 << replica.index
        self._tries += 1
        self._was_answered = self.waits_for_hedge = False
        call.tried_again = False  # the next replica's idle connections may be closing, too
        self.send(now_s)
        return True

    def taken_over_by(self, hedge: "Attempt") -> Call:
        """The hedge's reply came first: its connection carries this call from now on."""
        call, connection = self.call, hedge.call.carrier
        if not self._was_answered and not self.waits_for_hedge:
            self._origin.failed(self.replica, "another replica, asked later, answered first", call)
        call.detach()
        self._hedge = None
        # The hedge's call ends now, at this one's replica; and this one goes on at the hedge's.
        self.replica, hedge.replica = hedge.replica, self.replica
        self._was_answered = True
        hedge.call.end()
        if connection is not None:
            connection.carry(call)
        return call

    def hedge_failed(self, error: ShardgateError | None) -> None:
        """The hedge is of no use. Where the first replica has failed too, that is the call's end."""
        self._drop_hedge()
        if self.waits_for_hedge and error is not None:
            self.call.fail(error)

    def _drop_hedge(self) -> None:
        hedge, self._hedge = self._hedge, None
        if hedge is not None and not hedge.call.done:
            hedge.call.cancel()
