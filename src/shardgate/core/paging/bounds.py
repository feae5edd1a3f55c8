"""Bounds of the rows that shards may send for one list, and what is said of a shard that sends more, or too few.

Holds: a shard never decides how much is read of it: the page does, or a bound.
"""

from collections.abc import Sequence
from typing import Final

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.limits import (
    GROUPED_COLONS_MAX,
    GROUPED_ROWS_MAX,
    WHOLE_BYTES_MAX,
    WHOLE_ROWS_MAX,
    WHOLE_VALUES_MAX,
)

LIKELY_LIMIT_MIN: Final = 5
"""Hardly any application limits its pages to fewer rows, and that two shards have as few rows is likely by chance."""
_ROUND: Final = (5, 8, 12)
"""Limits are multiples of one of these: 20, 25, 30, 32, 36, 50, 64, 100, 1000."""


def likely_limit(counts: Sequence[int], given_max: int = 0) -> int | None:
    """The number of rows that may be a limit of the application's own, by what shards gave which state nothing.

    That is the greatest number, where several shards gave it, or where it is round. None: no limit has shown.
    `counts`: of shards none of which gave as many rows as it was asked for; `given_max`: the most rows of replies that
    no such limit has cut.
    """
    most = max(counts, default=0)
    if most < LIKELY_LIMIT_MIN or most < given_max:
        return None
    return most if counts.count(most) > 1 or any(most % step == 0 for step in _ROUND) else None


def cut_short(asked: int | None, start: int, given: int, found: str) -> BrokenReplyError:
    """The error for a shard that gave fewer rows than it was asked for, and has more. `asked`: None: all."""
    name, many = ("limit_default", "all") if asked is None else ("limit_max", str(asked))
    return BrokenReplyError(
        f"a shard gave fewer rows than asked for, and has more: the rule lacks the application's own `{name}`",
        where=f"row {start + given}, counted from 0",
        log=f"asked for {many} rows from row {start} on, found {given}; {found}; write `{name}` in the dialect, "
        "as the application has it",
    )


def too_many(asked: int, found: int) -> BrokenReplyError:
    """The error for a shard that gives more rows than it was asked for."""
    return BrokenReplyError(
        "a shard gave more rows than it was asked for",
        where=f"row {asked}, counted from 0",
        log=f"asked for {asked} rows, found {found}; does the application read the limit that the rule names?",
    )


def check_whole(rows: int, size: int = 0) -> None:
    """Raises ReplyTooLargeError where a list that is held whole has too many rows, or too many bytes."""
    if size > WHOLE_BYTES_MAX:
        problem = f"a list that is merged whole is larger than {WHOLE_BYTES_MAX} bytes"
        raise ReplyTooLargeError(problem, log=f"{rows} rows with {size} bytes had come")
    if rows > WHOLE_ROWS_MAX:
        problem = f"a list that is merged whole has more than {WHOLE_ROWS_MAX} rows"
        raise ReplyTooLargeError(problem, log=f"{rows} rows had come")


def check_values(body: bytes) -> None:
    """Raises ReplyTooLargeError where a reply has so many values that they take far more memory than their bytes."""
    values = body.count(b",")
    if values > WHOLE_VALUES_MAX:
        problem = f"a shard's reply has more than {WHOLE_VALUES_MAX} values"
        raise ReplyTooLargeError(problem, log=f"{values} commas stand in its {len(body)} bytes")


def check_groups(rows: int) -> None:
    """Raises ReplyTooLargeError where reports that are merged by groups have too many rows together."""
    if rows > GROUPED_ROWS_MAX:
        problem = f"a report that is merged by groups has more than {GROUPED_ROWS_MAX} rows"
        raise ReplyTooLargeError(problem, log=f"{rows} rows had come")


def check_members(bodies: Sequence[bytes]) -> None:
    """Raises ReplyTooLargeError where reports that are merged by groups have too many members together."""
    colons = sum([body.count(b":") for body in bodies])
    if colons > GROUPED_COLONS_MAX:
        problem = f"a report that is merged by groups has more than {GROUPED_COLONS_MAX} members"
        raise ReplyTooLargeError(problem, log=f"{colons} colons stand in {sum(map(len, bodies))} bytes")
