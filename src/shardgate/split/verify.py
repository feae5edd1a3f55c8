"""Reads every target again from its database, and compares it with what the source gave.

Holds: a shard is right when each table has the rows and the checksum it was sent, and no foreign
key leads nowhere. The sum over the shards is then the source, for nothing was read twice.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shardgate.split.copying import to_plain
from shardgate.split.rows import Content, Reader, content_of
from shardgate.split.schema import Table
from shardgate.split.target import Target
from shardgate.split.values import Kinds


class Verified(Struct, frozen=True):
    """One table: what the source gave to each shard, and what is there now."""

    table: str
    divided: bool  # a tenant's table, so the shards' rows add up to the source's
    source_rows: int  # as counted before, in another pass over the source
    sent: tuple[Content, ...]
    found: tuple[Content, ...]

    @property
    def sound(self) -> bool:
        return self.complete and self.sent == self.found

    @property
    def complete(self) -> bool:
        """No row of the source is missing, and none is there twice."""
        rows = [content.rows for content in self.found]
        return sum(rows) == self.source_rows if self.divided else {*rows} == {self.source_rows}


class Verifier:
    """Counts and hashes what the targets hold."""

    __slots__ = ("_advance", "_kinds", "_readers")

    def __init__(
        self,
        targets: Sequence[Target],
        kinds: Mapping[str, Kinds],
        batch_rows: int,
        advance: Callable[[int], None],
    ) -> None:
        self._readers: list[Reader] = [target.reader(batch_rows) for target in targets]
        self._kinds = kinds
        self._advance = advance

    def found(self, table: Table) -> tuple[Content, ...]:
        return tuple(self._content(reader, table) for reader in self._readers)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def _content(self, reader: Reader, table: Table) -> Content:
        total = Content()
        for batch in reader.rows(table.name, table.columns, ()):
            rows = batch.rows
            if table.name in self._kinds:
                rows = to_plain(table, rows, self._kinds[table.name])
            total += content_of(rows)
            self._advance(len(rows))
        return total
