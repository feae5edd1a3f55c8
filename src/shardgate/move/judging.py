"""Everything that speaks against a movement, of the two shards, of the others, and of the store.

Never: writes.
"""

from collections.abc import Sequence

from shardgate.core.topology import ShardId
from shardgate.move.checks import objections
from shardgate.move.counting import counting_objections
from shardgate.move.elsewhere import rows_elsewhere
from shardgate.move.entities import ambiguous
from shardgate.move.moving_rows import MovingRows
from shardgate.move.request import MoveSettings
from shardgate.store.movements import Movements


def judged(
    settings: MoveSettings,
    movements: Movements,
    names: tuple[ShardId, ShardId],
    tenants: Sequence[str],
    work: MovingRows,
) -> list[str]:
    """One line for each reason; `names`: the source and the target."""
    divided = {each.name for each in work.tables}
    unknown = sorted({*settings.local_ids} - divided)
    if unknown:
        tables = ", ".join(sorted(divided))
        return [f"movements.local_ids: {unknown[0]} is no table whose rows move. There are {tables}"]
    found = [
        f"{shard}: its database refuses changes: {why}"
        for shard, database in zip(names, (work.source, work.target), strict=True)
        if (why := database.refuses_changes())
    ]
    if found:
        return found
    found = objections(names, work.source, work.target, work.division, work.tables, tenants)
    found += rows_elsewhere(settings, names, work.division, work.keys)
    if found:
        return found
    found = counting_objections(names, work.source, work.target, work.tables, settings.local_ids)
    return found + ambiguous(names[0], movements.entities_on(names[0]), work.source, work.tables)
