"""Who may ask many shards."""

import pytest

from shardgate.core.errors import ScatterRefusedError
from shardgate.core.plan.scatter import Scatter

GOLD = Scatter(shards_max=2, unless={"tier": ("gold",), "roles": ("support",)})


@pytest.mark.parametrize(
    ("asked", "claims"),
    [(1, None), (2, {"tier": "free"}), (4, {"tier": "gold"}), (4, {"roles": ["reader", "support"]})],
)
def test_few_shards_or_a_client_that_may(asked: int, claims: dict[str, object] | None) -> None:
    GOLD.check(asked, claims, ())


@pytest.mark.parametrize("claims", [None, {}, {"tier": "Gold"}, {"tier": None}, {"roles": "sup"}, {"other": "gold"}])
def test_many_shards(claims: dict[str, object] | None) -> None:
    with pytest.raises(ScatterRefusedError, match="would ask 3 shards, and may ask 2; narrow it by vendor"):
        GOLD.check(3, claims, ["vendor"])
