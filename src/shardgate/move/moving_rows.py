"""The databases of both shards, and the rows on their way from one to the other.

Holds: what is written to the target, and deleted from the source, can be seen by nobody until it is committed.
Never: commits by itself what others would see, but for what a resumed movement puts right.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from shardgate.move.database import PREFIX, ShardDatabase
from shardgate.move.errors import MoveRefusedError, NotNowError
from shardgate.move.request import MoveSettings
from shardgate.move.shards import TenantDivision, open_shard, read_division
from shardgate.move.staging import Staging
from shardgate.move.tables import MovedTable, moved_tables
from shardgate.net.clock import now
from shardgate.split.database import sql
from shardgate.split.database.rows import TableDigest, digest_of

_REST_S: Final = 0.2  # at most, between two batches of the copy


class MovingRows:
    """The databases of both shards, and the rows on their way."""

    def __init__(self, settings: MoveSettings, source: str, target: str, tenants: Sequence[str]) -> None:
        self.division: TenantDivision = read_division(settings, source)
        self.source: ShardDatabase = open_shard(settings, source)
        try:
            self.target: ShardDatabase = open_shard(settings, target)
        except MoveRefusedError:
            self.source.close()
            raise
        self.staging = Staging()
        self.tables = moved_tables(self.division.ownership, self.division.by, tenants, self.source.relation)
        self.moved: frozenset[str] = frozenset()
        """What the gateway may have learned of the rows."""
        self._digests: dict[int, TableDigest] = {}
        self.is_unloaded = False
        """The rows are deleted from the source, in a transaction that is open."""

    def close(self) -> None:
        """Close all; open transactions are undone."""
        self.source.close()
        self.target.close()
        self.staging.close()

    def rollback(self) -> None:
        """Undo what is open in both databases."""
        self.target.rollback()
        self.source.rollback()

    def count(self) -> int:
        """How many rows the tenants have."""
        return sum(_count(self.source, each) for each in self.tables)

    def copy(self) -> Iterator[int]:
        """Keep all rows; yields how many at a time, and rests as long as that took: the shard serves meanwhile."""
        for each in self.tables:
            began_at = now()
            for batch in self.source.read(each, each.where):
                self.staging.put(each.number, batch)
                time.sleep(min(_REST_S, now() - began_at))
                yield len(batch)
                began_at = now()

    def catch_up(self) -> int:
        """Keep the rows that have changed since the last round; returns how many."""
        changed = 0
        for each in self.tables:
            kept = sql.quote(f"{PREFIX}{each.number}")
            if not self.source.query(f"SELECT 1 FROM {kept} LIMIT 1"):
                continue
            self.source.begin(snapshot=True)
            try:
                touched = self.source.keys(each, kept)
                columns = sql.listed(each.key)
                own = columns if len(each.key) == 1 else f"({columns})"
                there = f"{each.where} AND {own} IN (SELECT {columns} FROM {kept})"
                rows = [row for batch in self.source.read(each, there) for row in batch]
                self.source.run(f"DELETE FROM {kept}")
                self.source.commit()
            except BaseException:
                self.source.rollback()
                raise
            self.staging.drop(each.number, set(touched).difference(key for key, _ in rows))
            self.staging.put(each.number, rows)
            changed += len(touched)
        return changed

    def learnable(self) -> frozenset[str]:
        """The values by which the gateway may have learned where a row is: those of unique columns."""
        found: set[str] = set()
        for each in self.tables:
            for columns in self.source.unique_keys(each):
                for batch in self.source.values(each, columns, each.where):
                    found.update(value for row in batch for value in row)
        return frozenset(found)

    def load(self) -> None:
        """Write all rows to the target, and read them back, in a transaction that stays open."""
        self.target.begin()
        for each in self.tables:
            # At once: PostgreSQL checks the foreign keys of rows to their own table at the end of each statement.
            self.target.write(each, chain.from_iterable(self.staging.rows(each.number)))
            self.target.follow_counters(each, each.where)
        self._digests = {each.number: self.staging.digest(each.number) for each in self.tables}
        for each in self.tables:
            wanted, got = self._digests[each.number], _digest(self.target, each)
            if wanted != got:
                raise NotNowError(f"{each.name}: the target has {got.rows} rows instead of {wanted.rows}, or others")

    def unload(self) -> None:
        """Delete all rows from the source, in a transaction that stays open, if none of them has changed since."""
        self.source.begin()
        self.source.pass_over_own_changes()
        for each in self.tables:
            wanted, got = self._digests[each.number], _digest(self.source, each)
            if wanted != got:
                raise NotNowError(f"{each.name}: has changed at the source while its changes were held")
        deleted = self._delete(self.source)
        for each in self.tables:
            # Changed rows of other tenants are written down, too, and are none of this movement.
            touched = self.source.keys(each, sql.quote(f"{PREFIX}{each.number}"))
            if deleted[each.number] != self._digests[each.number].rows or self.staging.has_any(each.number, touched):
                raise NotNowError(f"{each.name}: has changed at the source while its changes were held")
        self.is_unloaded = True

    def purge(self) -> None:
        """Delete what the source still has of tenants that the target owns."""
        self.source.begin()
        try:
            self._delete(self.source)
            self.is_unloaded = True
            self.source.commit()
        except BaseException:
            self.source.rollback()
            raise

    def take_back(self) -> None:
        """Delete what the target may have of tenants that the source owns."""
        self.target.begin()
        try:
            self._delete(self.target)
            self.target.commit()
        except BaseException:
            self.target.rollback()
            raise

    def _delete(self, database: ShardDatabase) -> dict[int, int]:
        """How many rows were deleted, by the number of the table."""
        # Each condition reads the parents' rows: children go first.
        return {
            each.number: database.run(f"DELETE FROM {database.relation(each.name)} WHERE {each.where}")
            for each in reversed(self.tables)
        }


def _count(database: ShardDatabase, table: MovedTable) -> int:
    ((count,),) = database.query(f"SELECT count(*) FROM {database.relation(table.name)} WHERE {table.where}")
    return int(str(count))


def _digest(database: ShardDatabase, table: MovedTable) -> TableDigest:
    total = TableDigest()
    for batch in database.read(table, table.where):
        total += digest_of([row for _, row in batch])
    return total
