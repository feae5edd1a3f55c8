"""What is logged of a failure: how loud, what, and how often."""

import logging
from typing import Any

import pytest

from shardgate.core.errors import (
    BrokenReplyError,
    BugError,
    DeadlineError,
    OverloadError,
    ShardDownError,
    ShardgateError,
    ShardsMissingError,
    UnknownKeyError,
)
from shardgate.core.failures.line import FailureLine, parsed
from shardgate.core.failures.log_limit import LogLimit
from shardgate.core.failures.outages import Outages
from shardgate.core.limits import (
    LOG_BURST,
    LOG_KINDS_MAX,
    LOG_LINES_PER_S,
    LOG_TEXT_CHARACTERS_MAX,
    OUTAGES_TOLD_BURST,
    OUTAGES_TOLD_PER_S,
)
from shardgate.core.routes.route import Route
from shardgate.engine.report import Reporter
from tests.engine.fakes import exchange, request

ROUTE = Route("GET", "/events", "GET /events", None)


@pytest.fixture
def reported(caplog: pytest.LogCaptureFixture) -> Any:
    """Report an error: the record, the line that it is, and what the client is answered with."""
    caplog.set_level(logging.DEBUG, "shardgate")

    def report(error: Exception) -> tuple[logging.LogRecord, FailureLine, ShardgateError]:
        caplog.clear()
        noted = exchange(request("GET /events?secret=7", "Authorization: Bearer canary", "Cookie: canary"), ROUTE)
        known = Reporter().report(error, noted)
        assert noted.error == known.code
        (record,) = caplog.records
        assert "canary" not in record.getMessage()
        line = parsed(record.getMessage())
        assert line is not None
        return record, line, known

    return report


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (UnknownKeyError("no shard owns the key `x`"), logging.INFO),
        (BrokenReplyError("odd"), logging.WARNING),
        (OverloadError("too many"), logging.WARNING),
        (BugError("a rule that needs a store is served without one"), logging.ERROR),
    ],
)
def test_how_loud_it_is_depends_on_whose_fault_it_is(reported: Any, error: ShardgateError, level: int) -> None:
    record, line, known = reported(error)
    assert record.levelno == level
    assert known is error
    assert (line.request, line.operation, line.code, line.status) == ("r-1", "GET /events", error.code, error.status)
    assert line.what == error.detail


def test_the_line_has_the_shard_the_place_and_what_was_found(reported: Any) -> None:
    error = BrokenReplyError("a shard's total is not a count", where="member total", log="found `-1`")
    error.shard = "north"
    _, line, _ = reported(error)
    assert (line.shard, line.where, line.what) == (
        "north",
        "member total",
        "a shard's total is not a count: found `-1`",
    )


def test_each_missing_shard_has_its_cause(reported: Any) -> None:
    down, late = ShardDownError("cannot be reached", log="refused"), DeadlineError("not in time")
    down.shard, late.shard = "north", "west"
    error = ShardsMissingError("some did not answer", missing=("porto", "faro"))
    error.causes = (down, late)
    _, line, _ = reported(error)
    assert line.shard == "north,west"
    assert line.what == ("some did not answer; north: SG2001 cannot be reached: refused; west: SG2003 not in time")


def test_a_defect_has_its_traceback_and_the_client_is_told_nothing_of_it(reported: Any) -> None:
    def breaks() -> None:
        raise ZeroDivisionError("by nothing")

    try:
        breaks()
    except ZeroDivisionError as error:
        record, line, known = reported(error)
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert line.what.endswith("ZeroDivisionError: by nothing")
    assert "nothing" not in known.detail


def test_what_was_wrong_inside_is_said_where_nothing_else_is(reported: Any) -> None:
    try:
        try:
            raise ValueError("a chunk size is not plain hexadecimal digits")
        except ValueError as inner:
            raise BrokenReplyError("a shard's chunked coding is broken") from inner
    except BrokenReplyError as error:
        _, line, _ = reported(error)
    assert line.what == "a shard's chunked coding is broken: a chunk size is not plain hexadecimal digits"


def test_a_line_is_one_line_and_bounded_whatever_was_sent(reported: Any) -> None:
    record, line, _ = reported(BrokenReplyError('x"\n\x1b[2J\u2028 =é' + "y" * 10_000))
    text = record.getMessage()
    assert text.isprintable()
    assert len(text) < 2 * LOG_TEXT_CHARACTERS_MAX
    assert line.what.startswith('x"\\n\\u001b[2J\\u2028 =é')


def test_a_kind_of_failure_has_so_many_lines_and_then_says_how_many_were_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "shardgate")
    reporter, noted = Reporter(), exchange(request(), ROUTE)
    for _ in range(3 * LOG_BURST):
        reporter.report(BrokenReplyError("odd"), noted)
    assert LOG_BURST <= len(caplog.records) <= LOG_BURST + 1
    reporter.report(UnknownKeyError("another kind"), noted)
    assert "another kind" in caplog.text


def test_a_budget_that_is_used_up_is_counted_by_its_name() -> None:
    budgets: list[str] = []
    reporter, noted = Reporter(budgets.append), exchange(request(), ROUTE)
    reporter.report(OverloadError("too many requests wait for the shard", budget="shard_waiting"), noted)
    reporter.report(OverloadError("of another kind"), noted)
    assert budgets == ["shard_waiting"]


def test_the_limit_counts_what_it_leaves_out_and_forgets_nothing_of_another_kind() -> None:
    limit = LogLimit()
    assert [limit.admit("north", "SG2002", 0.0) for _ in range(LOG_BURST)] == [0] * LOG_BURST
    assert [limit.admit("north", "SG2002", 0.0) for _ in range(7)] == [None] * 7
    assert limit.admit("south", "SG2002", 0.0) == 0
    later = 1 / LOG_LINES_PER_S
    assert [limit.admit("north", "SG2002", later) for _ in range(2)] == [7, None]
    assert limit.admit("north", "SG2002", 1000 * later) == 1
    assert [limit.admit(str(n), "SG2002", 0.0) for n in range(2 * LOG_KINDS_MAX)] == [0] * (2 * LOG_KINDS_MAX)


def test_an_outage_is_two_lines_however_many_calls_fail() -> None:
    outages = Outages()
    assert outages.replied("north", 0.0) is None
    assert outages.failed("north", "late", 0.0, connected=True) is None
    assert not outages.any
    assert outages.failed("north", "refused", 1.0, connected=False) == "shard north is down: refused"
    assert outages.any
    assert [outages.failed("north", "refused", 2.0, connected=c) for c in (False, True, False)] == [None] * 3
    assert outages.failed("south", "refused", 2.0, connected=False) == "shard south is down: refused"
    assert outages.replied("north", 13.34) == "shard north is back after 12.3 s, 4 calls failed"
    assert outages.replied("north", 14.0) is None
    assert outages.any, "south is still down"


def test_a_shard_that_flaps_is_told_seldom_and_the_next_line_counts_the_rest() -> None:
    outages = Outages()
    lines = []
    for n in range(20):
        lines.append(outages.failed("north", "refused", n * 0.01, connected=False))
        lines.append(outages.replied("north", n * 0.01 + 0.005))
    told = [line for line in lines if line is not None]
    assert len(told) == 2 * OUTAGES_TOLD_BURST
    last = outages.failed("north", "refused", 1 / OUTAGES_TOLD_PER_S + 1, connected=False)
    assert (
        last == f"shard north is down: refused (it was down {20 - OUTAGES_TOLD_BURST} times more since the last line)"
    )


class Always(LogLimit):
    """Admits every line, after so many were left out."""

    def admit(self, shard: str, code: str, now_s: float) -> int | None:
        return 7


def test_a_line_that_goes_on_after_others_says_how_many_were_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "shardgate")
    Reporter(limit=Always()).report(BrokenReplyError("odd"), exchange(request(), ROUTE))
    more, line = [parsed(record.getMessage()) for record in caplog.records]
    assert more is not None
    assert line is not None
    assert (more.request, more.code, more.what) == (
        "",
        "SG2002",
        "7 more failures like the next one, of any request, were not logged",
    )
    assert (line.request, line.what) == ("r-1", "odd")
