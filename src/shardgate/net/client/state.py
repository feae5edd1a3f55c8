"""The life of a client's connection as a table: its states, and the events that lead from one to the next.

    idle, head                     --head_begun-->      head
    idle, head                     --request_whole-->   answering
    idle, head                     --body_begun-->      holding
    holding                        --body_streamed-->   uploading
    uploading                      --body_wanted-->     holding
    holding, uploading             --body_whole-->      answering
    answering                      --replied-->         idle
    answering, uploading           --replied_last-->    lingering
    idle, head, holding, uploading --refused-->         lingering
    answering                      --switched-->        tunnelled
    idle, head, holding, lingering, gone --closed-->    gone
    (any)                          --lost-->            gone

A test holds this drawing against the table below.

Two facts are true or false in any state, and stay flags of the connection: the client has ended its side (some still
read their replies), and the client does not read (the write buffer is full). A third is an order from outside: the
process ends, so the next reply is the last.

Holds: everything that depends on the state of a connection is in this table; an event that is impossible in a state is
a missing key, and raises BugError.
Never: knows bytes, time or a transport.
"""

from typing import Final, TypeAlias

from shardgate.core.errors import BugError

State: TypeAlias = str

IDLE: Final = "idle"
"""No byte of a request has come since the last reply. It lasts no longer than the idle time."""
HEAD: Final = "head"
"""A part of a request's head has come; the rest must come within the header time."""
HOLDING: Final = "holding"
"""The head is read, and the body is kept until it is whole; then the handler gets the request."""
UPLOADING: Final = "uploading"
"""The handler has the request, and its body still arrives (RFC 9112 section 9.3: the reply may come first)."""
ANSWERING: Final = "answering"
"""The handler has the whole request. What the client sends meanwhile waits for its turn."""
LINGERING: Final = "lingering"
"""The last reply was written. What the client still sends is read over, so that it can read the reply."""
TUNNELLED: Final = "tunnelled"
"""The connection has left HTTP (RFC 9110 section 7.8)."""
GONE: Final = "gone"
"""The connection is closed, or about to close once what was written has left."""

STATES: Final = (IDLE, HEAD, HOLDING, UPLOADING, ANSWERING, LINGERING, TUNNELLED, GONE)


class Event(dict[State, State]):
    """An event: from each state in which it is possible, the next state."""

    __slots__ = ("name",)

    def __init__(self, name: str, next_states: dict[State, State]) -> None:
        super().__init__(next_states)
        self.name = name

    def __missing__(self, state: State) -> State:
        """Raises BugError."""
        raise BugError(f"`{self.name}` cannot happen to a connection that is {state}")


HEAD_BEGUN: Final = Event("head_begun", {IDLE: HEAD, HEAD: HEAD})
"""Bytes of a head have come, and not its end."""
REQUEST_WHOLE: Final = Event("request_whole", {IDLE: ANSWERING, HEAD: ANSWERING})
"""A request has come with all of its body, or has none."""
BODY_BEGUN: Final = Event("body_begun", {IDLE: HOLDING, HEAD: HOLDING})
"""A head has come, and not all of the body that it announces."""
BODY_STREAMED: Final = Event("body_streamed", {HOLDING: UPLOADING})
"""The body may be long, so the handler gets the request before the body is whole."""
BODY_WANTED: Final = Event("body_wanted", {UPLOADING: HOLDING})
"""The handler needs the whole body before it can decide."""
BODY_WHOLE: Final = Event("body_whole", {HOLDING: ANSWERING, UPLOADING: ANSWERING})
"""The end of the body has come."""
REPLIED: Final = Event("replied", {ANSWERING: IDLE})
"""The reply is written, and the connection goes on (RFC 9112 section 9.3)."""
REPLIED_LAST: Final = Event("replied_last", {ANSWERING: LINGERING, UPLOADING: LINGERING})
"""The reply is written, and it was the last; also because the rest of the request's body is not read."""
REFUSED: Final = Event("refused", {IDLE: LINGERING, HEAD: LINGERING, HOLDING: LINGERING, UPLOADING: LINGERING})
"""The request cannot be read on: where it ends, and the next would begin, is not known."""
SWITCHED: Final = Event("switched", {ANSWERING: TUNNELLED})
"""The shard has switched to another protocol."""
CLOSED: Final = Event("closed", {IDLE: GONE, HEAD: GONE, HOLDING: GONE, LINGERING: GONE, GONE: GONE})
"""The gateway closes the connection; no reply is under way."""
LOST: Final = Event("lost", dict.fromkeys(STATES, GONE))
"""The connection has ended, whoever ended it."""

EVENTS: Final = (
    HEAD_BEGUN,
    REQUEST_WHOLE,
    BODY_BEGUN,
    BODY_STREAMED,
    BODY_WANTED,
    BODY_WHOLE,
    REPLIED,
    REPLIED_LAST,
    REFUSED,
    SWITCHED,
    CLOSED,
    LOST,
)
