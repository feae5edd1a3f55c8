"""Copies one table of the source to the shards: one pass over its rows, each row to the shard of its tenant.

Hot path: every row goes through here. A row costs one lookup and one hash; everything else is done once a batch.
Holds: the rows of a table, and their digest in the mark, are committed together on each shard.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from shardgate.split.database.contracts import DatabaseReader, TargetDatabase
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.mark import statement_to_mark_finished
from shardgate.split.database.rows import RowBatch, TableDigest, TableRow, digest_of
from shardgate.split.database.schema import ColumnKinds, Table
from shardgate.split.decide.homes import Home
from shardgate.split.decide.plan import TenantLookup
from shardgate.split.errors import SplitFailedError
from shardgate.split.translate.values import plain_rows_of

_CHECKED: Final = (
    "The source holds the row, so the CHECK may depend on other tables, by a function: they have no rows yet. Drop it"
    " in a copy of the source, split that, and add it to the shards afterwards; or correct the row"
)


class Copier:
    """Copies tables to the shards that do not have them yet. `advance` is called with the number of rows copied."""

    __slots__ = ("_advance", "_kinds", "_reader", "_shard_of", "_shards_of", "_targets")

    def __init__(
        self,
        reader: DatabaseReader,
        targets: Sequence[TargetDatabase],
        shard_of: Sequence[int],
        shards_of: Callable[[Home], Sequence[int]],
        kinds: Mapping[str, ColumnKinds],
        advance: Callable[[int], None],
    ) -> None:
        self._reader = reader
        self._targets = targets
        self._shard_of = shard_of
        self._shards_of = shards_of
        self._kinds = kinds
        self._advance = advance

    def copy(self, table: Table, lookup: TenantLookup | None, finished: Mapping[int, TableDigest]) -> list[TableDigest]:
        """Send each row to the shard of its tenant, or to every shard if there is no lookup.

        Returns the digest of what each shard got. A shard where the table is finished gets nothing, but its digest must
        be the same as before: raises SplitFailedError if the source has changed since then, or if a target rejects a
        row.
        """
        loading = {
            shard: target.load(table.name, table.columns)
            for shard, target in enumerate(self._targets)
            if shard not in finished
        }
        digests = [TableDigest() for _ in self._targets]
        keys = lookup.columns if lookup else ()
        for batch in self._reader.rows(table.name, table.columns, keys):
            for shard, rows, digest in self._by_shard(table, batch, lookup):
                digests[shard] += digest
                if shard in loading:
                    with _naming(table):
                        loading[shard].write(rows)
            self._advance(len(batch.rows))
        for shard, known in finished.items():
            if digests[shard] != known:
                reason = "the source has changed since the interrupted run copied it"
                raise SplitFailedError([f"{table.name}: {reason}. Begin again with --restart"])
        for shard, load in loading.items():
            with _naming(table):  # PostgreSQL reports a rejected row at the end of a COPY
                load.finish(statement_to_mark_finished(table.name, digests[shard]))
        return digests

    def _by_shard(
        self, table: Table, batch: RowBatch, lookup: TenantLookup | None
    ) -> Iterator[tuple[int, Sequence[TableRow], TableDigest]]:
        rows = batch.rows
        if table.name in self._kinds:
            rows = plain_rows_of(table, rows, self._kinds[table.name])
        if lookup is None:
            digest = digest_of(rows)
            yield from ((shard, rows, digest) for shard in range(len(self._targets)))
            return
        chosen: list[list[TableRow]] = [[] for _ in self._targets]
        if lookup.visits:
            self._choose_for_visitors(chosen, rows, batch, lookup)
        else:
            for row, tenant in zip(rows, tenants_of(batch, lookup), strict=True):
                if tenant >= 0:
                    chosen[self._shard_of[tenant]].append(row)
                else:
                    for shard in self._shards_of(tenant):
                        chosen[shard].append(row)
        yield from ((shard, some, digest_of(some)) for shard, some in enumerate(chosen) if some)

    def _choose_for_visitors(
        self, chosen: list[list[TableRow]], rows: Sequence[TableRow], batch: RowBatch, lookup: TenantLookup
    ) -> None:
        """As above, for a table of which some rows are needed on other shards too."""
        for row, key, home in zip(rows, batch.keys[0], tenants_of(batch, lookup), strict=True):
            shards = {*self._shards_of(home)}
            if (visit := lookup.visits.get(key)) is not None:
                shards.update(self._shards_of(visit[1]))
            for shard in shards:
                chosen[shard].append(row)


def tenants_of(batch: RowBatch, lookup: TenantLookup) -> list[Home]:
    """The home of each row. The survey has checked that every row has one."""
    if len(lookup.tenants) == 1:
        tenants = lookup.tenants[0]
        return [tenants[key] for key in batch.keys[0]]
    found = []
    for keys in zip(*batch.keys, strict=True):
        known = (owners.get(key) for owners, key in zip(lookup.tenants, keys, strict=True))
        found.append(next(tenant for tenant in known if tenant is not None))
    return found


@contextmanager
def _naming(table: Table) -> Iterator[None]:
    """Turn a driver's error into a SplitFailedError that names the table."""
    try:
        yield
    except DRIVER_ERRORS as error:
        reason = f"{table.name}: a target rejected a row: {error}"
        cure = _CHECKED if "violates check constraint" in str(error) else "Correct it in the source"
        raise SplitFailedError([f"{reason}. {cure}, then run again with --restart"]) from error
