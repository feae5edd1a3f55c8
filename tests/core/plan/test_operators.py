"""What a page says of where its rows came from."""

from shardgate.core.plan.operators import provenance
from shardgate.core.topology import Shard

SHARDS = {name: Shard(name, "h", 1, alias) for name, alias in (("a", "north"), ("b", 'so"é'))}


def test_rows_of_one_shard_behind_each_other_are_one_item() -> None:
    assert provenance("aabaa", SHARDS) == b'"north";rows=2, "so??";rows=1, "north";rows=2'
    assert provenance("", SHARDS) == b""


def test_too_many_turns_are_counted_together() -> None:
    said = provenance("ab" * 500, SHARDS)
    assert len(said) < 4200
    shown = said.count(b'"north"') + said.count(b'"so??"')
    assert said.endswith(b", omitted;rows=%d" % (1000 - shown))
