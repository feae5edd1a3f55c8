"""Which tenant a row has, by the keys that were read with it."""

from shardgate.split.copying import tenants_of
from shardgate.split.database.rows import RowBatch
from shardgate.split.decide.plan import TenantLookup


def test_one_key_decides() -> None:
    lookup = TenantLookup((("vendor",),), ({"a": 0, "b": 1},))
    assert tenants_of(RowBatch((["b", "a", "b"],), [b""] * 3), lookup) == [1, 0, 1]


def test_of_several_keys_the_first_known_one_decides() -> None:
    lookup = TenantLookup((("vendor",), ("event", "day")), ({"a": 0, "b": 1}, {(7, "x"): 1}))
    batch = RowBatch((["a", None], [(None, None), (7, "x")]), [b""] * 2)
    assert tenants_of(batch, lookup) == [0, 1]
