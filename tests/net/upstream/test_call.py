"""A call has one end, however many things go wrong at once. (Its patience: test_connection.py beside this file.)"""

from typing import Any

import pytest

from shardgate.core.errors import BrokenReplyError, LostReplyError
from tests.net.screenplay import Clock
from tests.net.upstream.play import Failed, Uploading, call_of


class Carrier:
    """The connection; it notes what it is told."""

    has_unsent = False

    def __init__(self, log: list[Any]) -> None:
        self._log = log

    def write_body(self, call: Any, data: bytes) -> None:
        self._log.append(data)

    def end_body(self, call: Any, trailers: bytes) -> None:
        self._log.append("end")

    def abort(self) -> None:
        self._log.append("abort")

    def pause_reading(self) -> None:
        self._log.append("pause")

    def resume_reading(self) -> None:
        self._log.append("resume")


@pytest.mark.parametrize("first", ["fail", "cancel", "end"])
def test_a_sink_is_told_of_one_failure_at_most(first: str) -> None:
    log: list[Any] = []
    call = call_of(log, Clock())
    if first == "fail":
        call.fail(BrokenReplyError("broken"))
    elif first == "cancel":
        call.cancel()
    else:
        call.end()
    call.fail(LostReplyError("lost"))
    assert log == ([Failed("SG2002")] if first == "fail" else [])
    assert call.done


def test_a_cancelled_call_ends_its_connection() -> None:
    log: list[Any] = []
    call = call_of(log, Clock())
    call.on(Carrier(log))
    call.cancel()
    assert log == ["abort"]


def test_what_arrives_of_a_body_after_the_end_goes_nowhere() -> None:
    log: list[Any] = []
    call = call_of(log, Clock(), line=b"PUT /any", upload=Uploading(log))
    call.on(Carrier(log))
    call.body_data(b"a")
    call.end()
    call.body_data(b"b")
    call.body_end(b"")
    assert log == [b"a"]


def test_the_sinks_pace_is_the_connections() -> None:
    log: list[Any] = []
    call = call_of(log, Clock())
    call.pause()  # it has no connection yet
    call.on(Carrier(log))
    call.pause()
    call.resume()
    assert log == ["pause", "resume"]


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"PUT", b"POST", b"DELETE"])
def test_only_what_changes_nothing_is_repeated(method: bytes) -> None:
    is_safe = method in {b"GET", b"HEAD", b"OPTIONS"}
    assert call_of([], Clock(), line=method + b" /any").repeatable is is_safe
    assert not call_of([], Clock(), line=method + b" /any", upload=Uploading([])).repeatable
