"""What several replicas say of a change: it is absent only where each says so."""

from shardgate.core.changes.sightings import seen_by_all
from shardgate.core.errors import DeadlineError, ShardDownError
from shardgate.core.http import Reply

SHOWN, ABSENT, BROKEN = Reply(200, (), b"{}"), Reply(404, (), b""), Reply(500, (), b"")
DOWN, SILENT = ShardDownError("down"), DeadlineError("silent")


def test_one_that_shows_it_is_enough() -> None:
    assert seen_by_all([ABSENT, SILENT, SHOWN]) is SHOWN


def test_one_that_says_nothing_leaves_it_in_doubt() -> None:
    assert seen_by_all([ABSENT, SILENT]) is SILENT
    assert seen_by_all([BROKEN, ABSENT]) is BROKEN


def test_it_is_absent_where_each_says_so_or_is_gone() -> None:
    assert seen_by_all([ABSENT, ABSENT]) is ABSENT
    assert seen_by_all([DOWN, ABSENT]) is ABSENT


def test_where_all_are_gone_nobody_knows() -> None:
    assert seen_by_all([DOWN, DOWN]) is DOWN
