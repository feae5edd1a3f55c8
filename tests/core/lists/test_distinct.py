"""Of the copies of a row one is shown, whichever shard was quicker."""

import pytest

from shardgate.core.json.array import cut
from shardgate.core.lists.distinct import Dedupe, distinct
from shardgate.core.lists.selection import Block
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import total_order
from shardgate.core.order.sort_key import KeyConfig, SortKey

KEYS: dict[str, KeyConfig] = {"id": "text", "at": SortKey(type="time", nulls="first")}
ORDER = total_order((), KEYS, "id")
NORTH = b'[{"id":"a","at":"2026-01-01T00:00:00Z","of":"north"}]'
SOUTH = b'[{"id":"a","at":"2026-01-02T00:00:00Z","of":"south"},{"id":"b","at":null,"of":"south"}]'


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        (Dedupe(by="id"), ["north", "south"]),
        (Dedupe(by="id", winner="last"), ["south", "south"]),
        (Dedupe(by="id", winner="highest", of="at"), ["south", "south"]),
        (Dedupe(by="id", winner="lowest", of="at"), ["north", "south"]),
    ],
)
@pytest.mark.parametrize("quicker", ["north", "south"])
def test_the_rule_says_which_copy(rule: Dedupe, shown: list[str], quicker: str) -> None:
    lists = {"north": NORTH, "south": SOUTH}
    blocks = [(Block(shard, 0, None), cut(lists[shard])) for shard in sorted(lists, key=lambda each: each != quicker)]
    tables = Tables(ORDER, blocks)
    chosen = distinct(rule, KEYS, tables, tables.ranking.sorted(), ("north", "south"))
    assert [tables.owners[n] for n in chosen] == shown


def test_a_copy_without_the_value_loses() -> None:
    lists = {"north": b'[{"id":"a","at":null}]', "south": b'[{"id":"a","at":"2026-01-02T00:00:00Z"}]'}
    tables = Tables(ORDER, [(Block(shard, 0, None), cut(rows)) for shard, rows in lists.items()])
    for winner in ("highest", "lowest"):
        rule = Dedupe(by="id", winner=winner, of="at")  # type: ignore[arg-type]
        chosen = distinct(rule, KEYS, tables, tables.ranking.sorted(), ("north", "south"))
        assert [tables.owners[n] for n in chosen] == ["south"]
