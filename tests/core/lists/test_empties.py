"""How an application writes a list without rows is known once a shard has shown it."""

from shardgate.core.dialect.offset import Offset
from shardgate.core.json.array import Rows, cut
from shardgate.core.lists.empties import seen
from shardgate.core.lists.rule import ListRule

FULL = cut(b'[{"id": "a"}]')


def rule() -> ListRule:
    return ListRule(dialect=Offset(), keys={"id": "text"})


def test_it_is_not_known_before_a_list_without_rows_was_seen() -> None:
    assert seen(rule(), [FULL]) is None


def test_what_was_seen_once_is_known_for_this_rule_alone() -> None:
    ours, other = rule(), rule()
    null = cut(b"null")
    assert seen(ours, [FULL, null]) is null
    assert seen(ours, [FULL]) is null
    assert seen(other, [FULL]) is None


def test_the_newest_form_counts() -> None:
    ours, blank = rule(), Rows([], b"[ ]")
    seen(ours, [cut(b"null")])
    assert seen(ours, [blank]) is blank
