"""Logs every failure of the gateway's own: one line each.

    request=7f3a-1c operation="GET /events" shard=north code=SG2007 status=502 where="row 3" what="…"

A client's mistake is written at INFO, a shard's failure and an overload at WARNING, a defect at ERROR with its
traceback. Where only some shards refuse a list, a line at INFO names them. Of one shard and one code only some lines
are written (core/failures/log_limit.py).

Holds: every 4xx and 5xx that the gateway makes is reported once, also where its reply had begun before.
Never: sends anything, or writes what a request carried in its headers.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from shardgate.core.errors import BugError, Fault, ShardgateError
from shardgate.core.exchange import Exchange
from shardgate.core.failures.line import FailureLine, line_of, partial_of, refusal_of, shard_of
from shardgate.core.failures.log_limit import LogLimit
from shardgate.core.failures.partial_reply import Lack
from shardgate.core.http import Reply
from shardgate.core.locate.dispute import disputed
from shardgate.core.topology import ShardId
from shardgate.net.clock import now

_log = logging.getLogger("shardgate")

_LEVELS: Final[dict[Fault, int]] = {"client": logging.INFO, "shard": logging.WARNING, "gateway": logging.WARNING}


class Reporter:
    """The failures of one worker."""

    __slots__ = ("_limit", "_refused")

    def __init__(self, refused: Callable[[str], None] | None = None, limit: LogLimit | None = None) -> None:
        """`refused`: called with the name of a budget where a failure says that the budget is used up."""
        self._refused = refused
        self._limit = limit or LogLimit()

    def report(self, error: Exception, exchange: Exchange) -> ShardgateError:
        """Log the failure of a request, and note its code in the exchange. Returns the error for the client."""
        known = error if isinstance(error, ShardgateError) else bug(error)
        exchange.error = known.code
        self.log(known, exchange)
        return known

    def log(self, error: ShardgateError, exchange: Exchange) -> None:
        """Log a failure that does not fail the request: of one item of its body."""
        if error.budget and self._refused is not None:
            self._refused(error.budget)
        is_bug = isinstance(error, BugError)
        level = logging.ERROR if is_bug else _LEVELS[error.fault]
        if not _log.isEnabledFor(level):
            return
        # Asked before the line is made: to make it is a sixth of a refusal's work, and an overload refuses thousands.
        left_out = self._limit.admit(shard_of(error), error.code, now())
        if left_out is not None:
            cause = (error.__cause__ or error) if is_bug else None
            _write(level, line_of(error, *_named(exchange)), left_out, cause)

    def disputed(self, space: str, key: str, before: ShardId, shard: ShardId) -> None:
        """Log that a shard showed a key that another had shown before. No request fails by that alone."""
        error = disputed(space, key, before, shard)
        self._limited(logging.WARNING, line_of(error, "", ""))

    def passed_on(self, replies: Mapping[ShardId, Reply], status: int, exchange: Exchange) -> None:
        """Log which shards gave the status that the client reads, where it is a refusal and the others gave another."""
        line = refusal_of({shard: reply.status for shard, reply in replies.items()}, status, *_named(exchange))
        if line is not None and _log.isEnabledFor(logging.INFO):
            self._limited(logging.INFO, line)

    def partial(self, lacks: Mapping[ShardId, Lack], status: int, exchange: Exchange) -> None:
        """Log which shards a reply lacks, and why."""
        if _log.isEnabledFor(logging.WARNING):
            self._limited(logging.WARNING, partial_of(lacks, status, *_named(exchange)))

    def _limited(self, level: int, line: FailureLine) -> None:
        left_out = self._limit.admit(line.shard, line.code or str(line.status), now())
        if left_out is not None:
            _write(level, line, left_out, None)


def _write(level: int, line: FailureLine, left_out: int, cause: BaseException | None) -> None:
    """`left_out`: how many lines of this kind were left out before it."""
    if left_out:
        _log.log(level, "%s", _more(line, left_out).text())
    _log.log(level, "%s", line.text(), exc_info=cause)


def _named(exchange: Exchange) -> tuple[str, str]:
    """The request's id and its operation."""
    return exchange.request_id.decode("latin-1"), exchange.route.operation if exchange.route is not None else ""


def bug(error: Exception) -> BugError:
    """An exception that nobody foresaw, as an error for the client."""
    said = BugError("the gateway failed; its log says more under this request's id")
    said.log = f"{type(error).__name__}: {error}"
    said.__cause__ = error
    return said


def _more(line: FailureLine, count: int) -> FailureLine:
    lines = "1 more failure" if count == 1 else f"{count} more failures"
    what = f"{lines} like the next one, of any request, were not logged"
    return FailureLine(shard=line.shard, code=line.code, status=line.status, what=what)
