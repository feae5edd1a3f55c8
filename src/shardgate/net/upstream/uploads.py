"""The uploads of one pool: bodies that still arrive reach the shard once enough of them has come, and only so many at a
time.

Holds: a body that has not begun to come takes no connection, however long it drips. Connections that carry unfinished
bodies are never more than the share; further uploads wait, first in, first out, and are not read meanwhile. A call that
is over gives its place back, however it ended.
Never: counts a request whose body is whole.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from shardgate.core.errors import OverloadError
from shardgate.net.upstream.call import Call


class Uploads:
    """Of one worker, to one address."""

    __slots__ = ("_at_once_max", "_start", "_under_way", "_waiting", "_waiting_max")

    def __init__(self, start: Callable[[Call], None], at_once_max: int, waiting_max: int) -> None:
        """`start`: sends a call as soon as a connection is free."""
        self._start = start
        self._at_once_max = at_once_max
        self._waiting_max = waiting_max
        self._under_way: set[Call] = set()
        self._waiting: deque[Call] = deque()

    @property
    def under_way(self) -> int:
        """How many bodies have a connection, or the next free one, and are not whole."""
        return len(self._under_way)

    def admit(self, call: Call) -> None:
        """Start the call once enough of its body has come and there is a place for it."""
        upload = call.upload
        if upload is not None:
            call.gather_body(self)
            upload.await_enough(partial(self._ready, call))

    def over(self, call: Call) -> None:
        """The body of a call is whole, or its call is over: the next one has its place."""
        self._under_way.discard(call)
        while self._waiting and len(self._under_way) < self._at_once_max:
            self._go(self._waiting.popleft())

    def _ready(self, call: Call) -> None:
        if call.done:
            return
        call.begin()
        if len(self._under_way) < self._at_once_max:
            self._go(call)
        elif len(self._waiting) < self._waiting_max:
            self._waiting.append(call)
        else:
            call.fail(OverloadError("too many bodies are on their way to the shard", budget="shard_uploads"))

    def _go(self, call: Call) -> None:
        if not call.done:
            self._under_way.add(call)
            self._start(call)
