"""One request to an upstream, how long it waits, and the sink that receives its reply.

Holds: a sink is told exactly one end of its call; none if the call was cancelled.
Never: touches a socket: its connection does.
"""

import asyncio
from math import inf
from typing import Final, Protocol

from shardgate.core.errors import DeadlineError, ShardgateError
from shardgate.core.http import ReplyHead
from shardgate.net.upload import Upload
from shardgate.net.watch import Watch


class Carrier(Protocol):
    """The connection that carries a call."""

    @property
    def has_unsent(self) -> bool:
        """Whether bytes of the request still wait to be sent."""

    @property
    def has_head(self) -> bool:
        """Whether the head of a reply has passed on, and its body comes now."""

    def write_body(self, call: "Call", data: bytes) -> None:
        """Send a piece of an arriving body."""

    def end_body(self, call: "Call", trailers: bytes) -> None:
        """Send its end."""

    def abort(self) -> None:
        """Close at once."""

    def carry(self, call: "Call") -> None:
        """The reply that has begun here is this call's from now on."""

    def pause_reading(self) -> None:
        """Stop taking bytes."""

    def resume_reading(self) -> None:
        """Take bytes again."""


class UploadPlaces(Protocol):
    """Where a call with an arriving body has a place."""

    def over(self, call: "Call") -> None:
        """The body is whole, or the call is over."""


class CallAttempt:
    """Looks after calls that one of several replicas answers. A class, no protocol: compiled, its methods cost less."""

    __slots__ = ()

    def answered(self, call: "Call", status: int) -> "Call | None":
        """The head of a reply has come. The call that goes on with it; None: none does."""
        raise NotImplementedError

    def failed(self, call: "Call", error: ShardgateError) -> bool:
        """There is no reply, or no more of it. Whether the call goes on at another replica."""
        raise NotImplementedError

    def declared(self, call: "Call", why: str) -> bool:
        """The reply says in its body that it failed. Whether the call goes on at another replica."""
        raise NotImplementedError

    def over(self, call: "Call") -> None:
        """The call is over."""
        raise NotImplementedError


class ReplySink(Protocol):
    """Receives one reply: its head, its data and its end; or an error."""

    def reply_interim(self, head: ReplyHead) -> None:
        """A 1xx has come, other than 100 and 101; the reply itself is still to come."""

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        """The head has come, and with it the first piece of the body, maybe empty."""

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        """The reply has come in one piece. This takes the place of `reply_head` and `reply_end`."""

    def reply_data(self, data: bytes) -> None:
        """A piece of the body, without its framing."""

    def reply_end(self, trailers: bytes) -> None:
        """The reply is whole."""

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """The upstream has switched to the protocol that the call offered; `data` came behind its head."""

    def reply_failed(self, error: ShardgateError) -> None:
        """There is no reply, or no more of it."""


_UNWATCHED: Final = Watch()  # not of a factory: compiled, a field would be no Watch


class Patience:
    """How long a call waits. Not changed once a call has it; a call that needs another has a copy."""

    __slots__ = ("failures_max", "first_byte_s", "hedge_after_s", "idle_s", "reply_s", "total_s", "watch")

    def __init__(
        self,
        reply_s: float,
        idle_s: float | None = None,
        total_s: float = inf,
        first_byte_s: float = inf,
        watch: Watch = _UNWATCHED,
        hedge_after_s: float = 0.0,
        failures_max: int | None = None,
    ) -> None:
        self.reply_s = reply_s
        """From the call's start until its reply begins; until the reply is whole where `idle_s` is None."""
        self.idle_s = idle_s
        """Without a byte moving, in either body."""
        self.total_s = total_s
        """From the call's start to the end of its reply."""
        self.first_byte_s = first_byte_s
        """From the request that was sent whole to the first byte of its reply; no longer than `reply_s`."""
        self.watch = watch
        """What keeps the calls' deadlines from when a pool has them, and tells the time. A test passes its own."""
        self.hedge_after_s = hedge_after_s
        """A read is late after so many seconds at the earliest; inf: it never is."""
        self.failures_max = failures_max
        """A failure of the call is enough to leave its replica out where it is the last of so many in a row; 0: it does
        not count; None: as the guards say."""

    def copy(self) -> "Patience":
        """Another one, to be changed."""
        return Patience(
            self.reply_s,
            self.idle_s,
            self.total_s,
            self.first_byte_s,
            self.watch,
            self.hedge_after_s,
            self.failures_max,
        )


class Call:
    """One request to an upstream, and where its reply goes. Compiled, its members have known places."""

    has_begun: bool = False
    """A byte of the reply has come."""
    tried_again: bool = False
    gives_way: bool = False
    """Another shard can answer, or has: the call ends where its address turns out to be silent."""
    interim: tuple[int, int] | None = None
    """How many interim replies have come, and their bytes; None: none has."""
    done: bool = False
    attempt: CallAttempt | None = None
    """Its way through several replicas; None: the shard has one address."""

    def __init__(
        self,
        head: bytes,
        body: bytes,
        sink: ReplySink,
        patience: Patience,
        *,
        method: bytes,
        upload: Upload | None = None,
        offers: bytes = b"",
    ) -> None:
        self.head = head
        self.body = body
        self.sink = sink
        self.is_head = method == b"HEAD"
        self.upload = upload
        """The body, while it arrives; None: there is none, or it is whole."""
        self.has_body = bool(body) or upload is not None
        self.offers = offers
        """The protocol that the upstream may switch to."""
        self.reads = self.repeatable = method in {b"GET", b"HEAD", b"OPTIONS"} and upload is None
        """It changes nothing: its method is safe, or that is known of it. `repeatable`: it may be sent twice (RFC 9110
        section 9.2.2), as what reads may, where its rule does not say otherwise."""
        instant = self.started_at = patience.watch.now()
        self.begins_by = instant + patience.reply_s
        """When its reply must have begun."""
        self.deadline_at = instant + patience.first_byte_s
        self._ends_at = instant + patience.total_s
        self._patience = patience
        self.slow_since = inf
        """Since when its reply waits for a client that does not read; inf: it does not."""
        # Not as defaults of the class: mypyc sets none where the type is a Protocol.
        self._connection: Carrier | None = None
        self._place: UploadPlaces | None = None

    @property
    def is_chunked(self) -> bool:
        """How the arriving body is framed."""
        return self.upload is not None and self.upload.is_chunked

    @property
    def carrier(self) -> Carrier | None:
        """The connection that carries it."""
        return self._connection

    @property
    def hedge_after_s(self) -> float:
        """Where it reads: after how many seconds at the earliest it is late; inf: it never is."""
        return self._patience.hedge_after_s

    def hedge_after(self, seconds: float) -> None:
        """Its rule says when it is late at the earliest."""
        self._patience = self._patience.copy()
        self._patience.hedge_after_s = seconds

    @property
    def failures_max(self) -> int | None:
        """How many failures in a row are enough to leave its replica out; 0: its own does not count; None: as ever."""
        return self._patience.failures_max

    def count_failures(self, failures_max: int) -> None:
        """Its rule says how many failures are enough."""
        self._patience = self._patience.copy()
        self._patience.failures_max = failures_max

    def twin(self) -> "Call":
        """The same read once more, for another replica."""
        twin = Call(self.head, self.body, self.sink, self._patience, method=b"HEAD" if self.is_head else b"GET")
        twin.reads, twin.repeatable = self.reads, self.repeatable
        twin.continues(self)
        return twin

    def detach(self) -> None:
        """Leave the connection, which is closed; the call goes on elsewhere."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def continues(self, before: "Call") -> None:
        """This is another try of a call: the time until its reply begins goes on."""
        self.begins_by = min(self.begins_by, before.begins_by)
        self.deadline_at = min(self.deadline_at, self.begins_by)

    def heard(self) -> None:
        """A byte of the reply's head has come, or an interim reply."""
        self.has_begun = True
        self.deadline_at = self.begins_by

    def begin_anew(self) -> None:
        """What came of its reply is of no use, and it was sent once more."""
        self.has_begun = False
        self.await_first_byte()

    def moved(self) -> None:
        """A byte of a body has moved: that is a sign of life."""
        idle_s = self._patience.idle_s
        if idle_s is not None:
            self.deadline_at = min(self._patience.watch.now() + idle_s, self._ends_at)
        else:
            self.deadline_at = self.begins_by

    def may_be_silent(self, idle_s: float) -> None:
        """The reply is a stream of events: it ends when one side likes, and may say nothing for long."""
        self._patience = self._patience.copy()
        self._patience.idle_s, self._patience.total_s = idle_s, inf
        self._ends_at = inf
        self.deadline_at = self._patience.watch.now() + idle_s

    def may_stream(self, patience: Patience) -> None:
        """The reply passes on while it comes: it may take long, as long as it moves."""
        self._patience = patience
        self._ends_at = self.started_at + patience.total_s
        self.moved()

    def gather_body(self, place: UploadPlaces) -> None:
        """Enough of the arriving body is waited for. Its connection keeps the time; the shard has nothing to do yet."""
        self._place = place
        self.deadline_at = inf

    def begin(self) -> None:
        """Enough of the body has come: from now on a connection, and then the reply, are waited for."""
        self.started_at = self._patience.watch.now()
        self.begins_by = self.deadline_at = min(self.started_at + self._patience.reply_s, self._ends_at)

    def await_body(self) -> None:
        """The request's body still arrives: until it moves, only the time until the reply begins counts."""
        self.deadline_at = self.begins_by

    def body_data(self, data: bytes) -> None:
        """A piece of the arriving body goes on."""
        if not self.done and self._connection is not None:
            self.moved()
            self._connection.write_body(self, data)

    def body_end(self, trailers: bytes) -> None:
        """The arriving body is whole; now the reply is waited for."""
        if not self.done and self._connection is not None:
            self._connection.end_body(self, trailers)
            self._end_upload()
            self.begins_by = min(self._patience.watch.now() + self._patience.reply_s, self._ends_at)
            if self.has_begun:
                self.deadline_at = self.begins_by
            else:
                self.await_first_byte()

    def on(self, connection: Carrier) -> None:
        """The call has its connection; a request without an arriving body is sent now."""
        self._connection = connection

    def await_first_byte(self) -> None:
        """Only from now on the reply is waited for: the call waited for its connection, or its request is whole now."""
        self.deadline_at = min(self._patience.watch.now() + self._patience.first_byte_s, self.begins_by)

    def expire(self) -> None:
        """The deadline has passed. A request that is not sent whole yet has more time until its first byte."""
        if self._has_more_time and self._patience.watch.now() < self.begins_by:
            self.await_first_byte()
            return
        error = DeadlineError("the shard did not answer in time", log=self._what_ran_out())
        error.another_may_answer = self.awaits_first_byte and self.repeatable
        self.fail(error)

    def give_way(self) -> None:
        """Its address answers nothing: end the call, so that another shard is asked, or its answer is enough."""
        log = f"its address answers no call; it was asked {self._patience.watch.now() - self.started_at:.1f} s ago"
        error = DeadlineError("the shard did not answer in time", log=log)
        error.another_may_answer = True
        self.fail(error)

    @property
    def _has_more_time(self) -> bool:
        return self._connection is None or (self.awaits_first_byte and self._connection.has_unsent)

    @property
    def awaits_first_byte(self) -> bool:
        """Whether the request was sent whole, and no byte of a reply has come."""
        return self._connection is not None and self.upload is None and not self.has_begun

    def _what_ran_out(self) -> str:
        """Which patience, for the log."""
        patience, asked = self._patience, f"it was asked {self._patience.watch.now() - self.started_at:.1f} s ago"
        if self._connection is None:
            return f"no connection became free within request_timeout_s ({patience.reply_s:g} s)"
        if self.awaits_first_byte and self.deadline_at < self.begins_by:
            return f"no byte of a reply came within first_byte_timeout_s ({patience.first_byte_s:g} s); {asked}"
        if patience.idle_s is None or self.awaits_first_byte or self.deadline_at == self.begins_by:
            return f"the reply took longer than request_timeout_s ({patience.reply_s:g} s); {asked}"
        if self.deadline_at == self._ends_at:
            return f"request and reply took longer than request_total_timeout_s ({patience.total_s:g} s); {asked}"
        return f"no byte of a body moved for {patience.idle_s:g} s; {asked}"

    def fail(self, error: ShardgateError) -> None:
        """End the call without a reply; the connection, if any, is not used again."""
        if self.done or (self.attempt is not None and self.attempt.failed(self, error)):
            return
        self.cancel()
        self.sink.reply_failed(error)

    def cancel(self) -> None:
        """End the call and its connection; the sink is not told."""
        self.end()
        if self._connection is not None:
            self._connection.abort()

    def end(self) -> None:
        """The call is over."""
        self.done = True
        self._patience.watch.discard(self)
        if self._place is not None:
            self._leave(self._place)
        if self.attempt is not None:
            self.attempt.over(self)

    def _end_upload(self) -> None:
        self.upload = None
        if self._place is not None:
            self._leave(self._place)

    def _leave(self, place: UploadPlaces) -> None:
        self._place = None
        place.over(self)

    def pause(self) -> None:
        """The sink cannot take more for now. A call that is over has no part in its connection any more."""
        if self.done:
            return
        self.moved()
        if self._connection is not None:
            self._connection.pause_reading()

    def wait_for_client(self) -> None:
        """The client does not read: the sink cannot take more for now."""
        self.slow_since = self._patience.watch.now()
        self.pause()

    def resume(self) -> None:
        """The sink can take more again."""
        self.slow_since = inf
        if self.done:
            return
        self.moved()
        if self._connection is not None:
            self._connection.resume_reading()
