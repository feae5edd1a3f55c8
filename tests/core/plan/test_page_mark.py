"""The parameter by which the links of a partial page carry what it lacked."""

import pytest

from shardgate.core.errors import BadCursorError
from shardgate.core.plan.page_mark import mark_of, marked, read, unmarked
from shardgate.core.topology import Shard
from tests.core.requests import request

SHARDS = {name: Shard(name, "h", 1, alias) for name, alias in (("a", "north"), ("b", "east"))}


@pytest.mark.parametrize("target", ["/rows", "/rows?a=1", "/rows?a=1&b=%26"])
def test_it_is_read_as_it_was_written_and_no_shard_sees_it(target: str) -> None:
    mark = mark_of(["north", "east"])
    before = request(f"GET {target}")
    there = marked(before, mark)
    assert mark in there.query
    assert unmarked(there.target, mark) == before.target
    back, lacked = read(there, SHARDS)
    assert (back.target, back.query, lacked) == (before.target, before.query, frozenset("ab"))


def test_the_aliases_do_not_stand_in_it() -> None:
    assert "north" not in mark_of(["north"])


@pytest.mark.parametrize("value", ["", "x", "Zb3=.Zb3="])
def test_what_this_gateway_did_not_write_is_refused(value: str) -> None:
    with pytest.raises(BadCursorError):
        read(request(f"GET /rows?shardgate-lacks={value}"), SHARDS)


def test_another_parameter_is_the_applications() -> None:
    there = request("GET /rows?q=shardgate-lacks&xshardgate-lacks=1")
    assert read(there, SHARDS) == (there, frozenset())
