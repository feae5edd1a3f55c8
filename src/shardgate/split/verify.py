"""Reads every table of every target back from its database, and compares it with what the source gave.

Holds: a shard is correct when each of its tables has the row count and the checksum of the rows that were sent to it,
and no foreign key refers to a missing row. Since each row of a divided table was sent to one shard, the shards together
then hold the source. A row of several tenants is counted once for each shard that gets it.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shardgate.split.database.contracts import DatabaseReader, TargetDatabase
from shardgate.split.database.rows import TableDigest, digest_of
from shardgate.split.database.schema import ColumnKinds, Table
from shardgate.split.translate.values import plain_rows_of


class VerifiedTable(Struct, frozen=True):
    """One table: what was sent to each shard, and what each shard has."""

    table: str
    divided: bool  # the rows of all shards together are the source's; otherwise each shard has all rows
    source_rows: int  # counted in an earlier pass over the source
    sent: tuple[TableDigest, ...]
    found: tuple[TableDigest, ...]
    expected: tuple[int, ...] = ()  # the rows that the plan counted for each shard, if it is divided

    @property
    def sound(self) -> bool:
        return self.complete and self.sent == self.found

    @property
    def complete(self) -> bool:
        """The row counts agree: no row of the source is missing, and none was copied twice."""
        rows = [digest.rows for digest in self.found]
        if not self.divided:
            return {*rows} == {self.source_rows}
        return rows == [*self.expected] if self.expected else sum(rows) == self.source_rows


class Verifier:
    """Counts and hashes the rows of the targets. `advance` is called with the number of rows read."""

    __slots__ = ("_advance", "_kinds", "_readers")

    def __init__(
        self,
        targets: Sequence[TargetDatabase],
        kinds: Mapping[str, ColumnKinds],
        batch_rows: int,
        advance: Callable[[int], None],
    ) -> None:
        self._readers: list[DatabaseReader] = [target.reader(batch_rows) for target in targets]
        self._kinds = kinds
        self._advance = advance

    def found(self, table: Table) -> tuple[TableDigest, ...]:
        """The digest of the table on each shard."""
        return tuple(self._digest(reader, table) for reader in self._readers)

    def counted(self, table: Table) -> tuple[int, ...]:
        """The number of rows of the table on each shard."""
        return tuple(reader.count(table.name) for reader in self._readers)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def _digest(self, reader: DatabaseReader, table: Table) -> TableDigest:
        total = TableDigest()
        for batch in reader.rows(table.name, table.columns, ()):
            rows = batch.rows
            if table.name in self._kinds:
                rows = plain_rows_of(table, rows, self._kinds[table.name])
            total += digest_of(rows)
            self._advance(len(rows))
        return total
