"""Usage: the calls of a client add up on the disk."""

from shardgate.store.database import Store
from shardgate.store.usage import KEPT_S, Usage


def test_the_table_adds_up_and_forgets_what_is_long_over(store: Store) -> None:
    usage = Usage(store)
    assert usage.add([("2026-11", "one", 3), ("2026-11", "other", 1)], 0) == [3, 1]
    assert usage.add([("2026-11", "one", 4)], KEPT_S) == [7]
    assert (usage.calls("2026-11", "one"), usage.calls("2026-11", "other")) == (7, 1)
    usage.add([("2026-12", "one", 1)], KEPT_S + 1)
    assert usage.calls("2026-11", "other") == 0
