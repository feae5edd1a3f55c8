"""Counts add, wherever they stand."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.merge.count import Count
from tests.core.merge.merging import merged, ok, text


def test_counts_add_wherever_they_stand() -> None:
    assert text(Count(), "3\n", "4\n", "0\n") == "7\n"
    assert text(Count(member="a.n"), '{"a":{"n":3},"x":1}', '{"a":{"n":40},"x":2}') == '{"a":{"n":43},"x":1}'
    reply = merged(Count(header="X-Total"), ok("", x_total="3"), ok("", x_total="4"))
    assert (reply.body, reply.field(b"x-total")) == (b"", b"7")
    assert merged(Count(header="X-Total"), ok(""), ok("")).field(b"x-total") is None


@pytest.mark.parametrize(
    ("rule", "one", "two"),
    [
        (Count(), ok("3"), ok('"4"')),
        (Count(), ok("3"), ok("")),
        (Count(member="n"), ok('{"n":1}'), ok("{}")),
        (Count(header="X-Total"), ok("", x_total="3"), ok("")),
        (Count(header="X-Total"), ok("", x_total="0"), ok("")),
        (Count(header="X-Total"), ok("", x_total="3"), ok("", x_total="-1")),
        (Count(header="X-Total"), ok("3", x_total="3"), ok("4", x_total="4")),
    ],
)
def test_a_count_that_some_shard_does_not_state_is_never_given_as_exact(rule: Count, one: Reply, two: Reply) -> None:
    with pytest.raises(BrokenReplyError):
        merged(rule, one, two)
