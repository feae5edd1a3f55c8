"""Mistakes in what a gather says of shards that do not answer."""

from collections.abc import Iterable, Iterator, Mapping

from shardgate.core.dialect import AnyCursor
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.dialect.whole import Whole
from shardgate.core.failures.tolerance import Missing
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.listed import Listed
from shardgate.core.merge.union import Union
from shardgate.core.routes.mistakes import Mistake, choose


def check_missing(missing: Missing, merges: Iterable[tuple[str, AnyMerger]]) -> Iterator[Mistake]:
    """What is wrong in `missing`, where shards may be missing. `merges`: each with its place in the rule."""
    for field, problem, cure in missing.problems():
        yield Mistake(f"missing.{field}", problem, cure)
    for place, merge in merges:
        if isinstance(merge, Entity) or (isinstance(merge, Listed) and merge.parts is not None):
            problem = f"{place} puts parts together: what is in parts would lack those of the missing shard"
            yield Mistake("missing", problem, "remove it")
        elif missing.member is not None and _is_array(merge):
            problem = f"the body of {place} is no object, and has no members"
            yield Mistake("missing.member", problem, "remove it: the field `Shardgate-Partial` says the same")


def check_required_shards(missing: Missing, shards: Mapping[str, object]) -> Iterator[Mistake]:
    """Shards that `missing` names and nobody has, and a quorum of more shards than there are."""
    for name in missing.required:
        if name not in shards:
            yield Mistake("missing.required", f"there is no shard {name!r}", choose(name, shards))
    if missing.quorum > len(shards):
        cure = f"write {len(shards)} at most; for all of them, leave `missing` out"
        yield Mistake("missing.quorum", f"there are only {len(shards)} shards", cure)


def _is_array(merge: AnyMerger) -> bool:
    """Whether the merged body is surely no object."""
    if isinstance(merge, Listed):
        dialect = merge.dialect
        if isinstance(dialect, AnyCursor):
            return dialect.items is None
        return dialect.streamable != "never" or isinstance(dialect, Ndjson | Whole)
    return isinstance(merge, Groups | Union) and merge.items is None
