"""Copies one table of the source to the shards: one pass, each row to the shard of its tenant.

Hot path: 600,000 rows go through here twice. Per row there is one look-up and one hash; all else
is done per batch.
Holds: each shard's rows of a table are committed together with their count and checksum.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg

from shardgate.split.errors import FailedError
from shardgate.split.marker import marking_finished
from shardgate.split.plan import Route
from shardgate.split.rows import Batch, Content, Reader, Row, content_of
from shardgate.split.schema import Table
from shardgate.split.target import Target
from shardgate.split.values import Kinds, plain_rows


class Copier:
    """Carries rows from the source to the shards that have not got them yet."""

    __slots__ = ("_advance", "_kinds", "_reader", "_shard_of", "_targets")

    def __init__(
        self,
        reader: Reader,
        targets: Sequence[Target],
        shard_of: Sequence[int],
        kinds: Mapping[str, Kinds],
        advance: Callable[[int], None],
    ) -> None:
        self._reader = reader
        self._targets = targets
        self._shard_of = shard_of
        self._kinds = kinds
        self._advance = advance

    def copy(self, table: Table, route: Route | None, finished: Mapping[int, Content]) -> list[Content]:
        """Every row to every shard (no route), or each to its own; what each shard got.

        What is finished is not written again, but read again: the source must still say the same.
        """
        loading = {
            shard: target.load(table.name, table.columns)
            for shard, target in enumerate(self._targets)
            if shard not in finished
        }
        contents = [Content() for _ in self._targets]
        keys = route.columns if route else ()
        for batch in self._reader.rows(table.name, table.columns, keys):
            for shard, rows, content in self._parts(table, batch, route):
                contents[shard] += content
                if shard in loading:
                    with _refusing(table):
                        loading[shard].write(rows)
            self._advance(len(batch.rows))
        for shard, known in finished.items():
            if contents[shard] != known:
                reason = "the source has changed since the interrupted run copied it"
                raise FailedError([f"{table.name}: {reason}. Begin again with --restart"])
        for shard, load in loading.items():
            with _refusing(table):  # PostgreSQL speaks only at the end of a COPY
                load.finish(marking_finished(table.name, contents[shard]))
        return contents

    def _parts(self, table: Table, batch: Batch, route: Route | None) -> Iterator[tuple[int, Sequence[Row], Content]]:
        rows = batch.rows
        if table.name in self._kinds:
            rows = to_plain(table, rows, self._kinds[table.name])
        if route is None:
            content = content_of(rows)
            yield from ((shard, rows, content) for shard in range(len(self._targets)))
            return
        parts: list[list[Row]] = [[] for _ in self._targets]
        for row, tenant in zip(rows, tenants_of(batch, route), strict=True):
            parts[self._shard_of[tenant]].append(row)
        yield from ((shard, part, content_of(part)) for shard, part in enumerate(parts) if part)


def tenants_of(batch: Batch, route: Route) -> list[int]:
    """The tenant of each row; the survey has seen to it that there is one."""
    if len(route.tenants) == 1:
        tenants = route.tenants[0]
        return [tenants[key] for key in batch.keys[0]]
    found = []
    for keys in zip(*batch.keys, strict=True):
        known = (owners.get(key) for owners, key in zip(route.tenants, keys, strict=True))
        found.append(next(tenant for tenant in known if tenant is not None))
    return found


def to_plain(table: Table, rows: Sequence[Row], kinds: Kinds) -> Sequence[Row]:
    try:
        return plain_rows(rows, kinds)
    except ValueError as error:
        raise FailedError([f"{table.name}: {error}. Correct it, then --restart"]) from error


@contextmanager
def _refusing(table: Table) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        raise FailedError([f"{table.name}: a target refused its rows: {error}"]) from error
