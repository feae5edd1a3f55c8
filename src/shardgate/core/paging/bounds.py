"""Bounds of the rows that shards may send for one list, and what is said of a shard that sends more.

Holds: a shard never decides how much is read of it: the page does, or a bound.
"""

from collections.abc import Sequence

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.limits import (
    GROUPED_COLONS_MAX,
    GROUPED_ROWS_MAX,
    WHOLE_BYTES_MAX,
    WHOLE_ROWS_MAX,
    WHOLE_VALUES_MAX,
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
