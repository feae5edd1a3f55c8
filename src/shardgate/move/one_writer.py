"""The rows of tenants between databases that have one writer each: files of SQLite.

    fenced: last changes ─► checksum of the source ─► closed, committing: the target takes the rows over by turns
                          ─► compare ─► flip ─► what has changed since goes to the target; the source deletes

Holds: no lock of a database is held while gateways are waited for, nor while rows are read, compared or made durable.
Others that write wait for one turn of the copy or of the take-over, or for the delete. Until then the source refuses
what would link a row that stays to one that moves, as its foreign keys do afterwards. While lists are held, nobody sees
the rows that the target has already. What a job changes at the source after the checksum is followed by the transaction
that deletes the rows there.
Never: goes on with rows that differ.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Final

from shardgate.move.checks import torn_objections
from shardgate.move.database import MovedRow
from shardgate.move.errors import DifferentRowsError, GivenUpError, NotNowError
from shardgate.move.moving_rows import MovingRows, count_of, digest_of_table, is_of_integrity, log_of
from shardgate.move.patience import HELD_S_MAX
from shardgate.move.request import MoveSettings
from shardgate.move.sqlite import SqliteShard
from shardgate.move.tables import MovedTable
from shardgate.net.clock import now
from shardgate.split.database import sql
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.rows import TableDigest

_FOLLOWED_MAX: Final = 500
"""Changed rows that one transaction keeps beside."""


class OneWriterRows(MovingRows):
    """The databases of both shards, each of which lets one connection write at a time."""

    source: SqliteShard
    target: SqliteShard
    reads_s = 60.0

    def __init__(self, settings: MoveSettings, source: str, target: str, tenants: Sequence[str]) -> None:
        super().__init__(settings, source, target, tenants)
        self._wanted: Mapping[int, TableDigest] = {}
        self._is_guarded = False

    def catch_up(self) -> int:
        """Keep the rows that have changed since the last round; returns how many."""
        return sum(map(self._catch_up, self.tables))

    def hand_over(self, until_s: float = inf) -> None:
        """Keep the last changes, and take the checksum of what moves. Nothing is written that others wait for."""
        self.catch_up()
        self._guard()
        self._wanted = {each.number: digest_of_table(self.source, each, until_s) for each in self.tables}
        for database in (self.source, self.target):  # who writes for long is waited for before lists wait
            database.await_writers(self.tables)

    def commit_target(self) -> None:
        """Let the target take the rows over, and compare. Raises NotNowError, and all is as it was."""
        try:
            loaded = self.load(now() + HELD_S_MAX)
            self.compare(self._wanted, loaded)
        except NotNowError:
            self._back()
            raise
        except DRIVER_ERRORS as error:
            self._back()
            if not is_of_integrity(error):
                raise NotNowError(f"{type(error).__name__}: {error}") from error
            self.is_copied = False
            raise DifferentRowsError(f"the target refuses the rows: {type(error).__name__}: {error}") from error

    def load(self, until_s: float = inf) -> dict[int, TableDigest]:
        """Let the target take all rows over, durably, and read them back."""
        self.target.load_by_turns(self.tables, until_s)
        return {each.number: digest_of_table(self.target, each, until_s) for each in self.tables}

    def commit_source(self) -> list[str]:
        """Delete the rows from the source. What was changed there since the checksum is changed at the target, too.

        Returns what is not as it was moved, by tables: somebody changed it past the triggers.
        """
        self.source.begin()
        try:
            late = self._late()
            refused = self._follow_to_target(late)
            self.source.pass_over_own_changes()
            deleted = self._delete(self.source)
            self.is_unloaded = True
            self.source.commit()
        except BaseException:
            self.source.rollback()
            raise
        self.source.sync()
        self.source.tidy()
        counted = (
            (each, count_of(self.target, each) if late else self._wanted[each.number].rows, deleted[each.number])
            for each in self.tables
        )
        return refused or [f"{each.name}: {abs(rows - gone)} rows" for each, rows, gone in counted if rows != gone]

    def rollback(self) -> None:
        super().rollback()
        if self._is_guarded:
            with suppress(*DRIVER_ERRORS):  # `release` removes it
                self.source.unguard()
            self._is_guarded = False

    def _guard(self) -> None:
        """Let no row that stays be linked to one that moves: the source would refuse its own commit.

        Raises GivenUpError where one is.
        """
        self.source.begin()
        try:
            if left := torn_objections(self._source_name, self.source, self.tables):
                raise GivenUpError(left)
            if not self._is_guarded:
                self.source.guard(self.tables)
            self.source.commit()
        except BaseException:
            self.source.rollback()
            raise
        self._is_guarded = True

    def take_back(self) -> None:
        """Delete what the target has taken over. A tenant of the same name that somebody made there stays."""
        if not self.target.has_taken():
            return
        self.target.begin()
        try:
            self._delete(self.target)
            self.target.forget_taken()
            self.target.commit()
        except BaseException:
            self.target.rollback()
            raise

    def _keep(self, table: MovedTable, batch: Sequence[MovedRow]) -> None:
        self.target.keep_by_turns(table, batch)

    def _back(self) -> None:
        self.target.rollback()
        self.take_back()

    def _catch_up(self, table: MovedTable) -> int:
        log = log_of(table)
        ((last,),) = self.source.query(f"SELECT max(rowid) FROM {log}")
        if last is None:
            return 0
        noted = f"{log} WHERE rowid <= {last}"
        touched, rows = self._changed(table, noted)
        of_keys = {key: (key, row) for key, row in rows}
        for start in range(0, len(touched), _FOLLOWED_MAX):
            keys = touched[start : start + _FOLLOWED_MAX]
            self.target.begin()
            try:
                self.target.drop(table, keys)
                self.target.keep(table, [of_keys[key] for key in keys if key in of_keys])
                self.target.commit()
            except BaseException:
                self.target.rollback()
                raise
        self.source.run(f"DELETE FROM {noted}")
        return len(touched)

    def _changed(self, table: MovedTable, noted: str) -> tuple[list[bytes], list[MovedRow]]:
        """The keys that were written down, and those of the rows that move, as they are now."""
        touched = self.source.keys(table, noted)
        columns = sql.listed(table.key)
        own = columns if len(table.key) == 1 else f"({columns})"
        there = f"{table.where} AND {own} IN (SELECT {columns} FROM {noted})"
        rows = [row for batch in self.source.read(table, there) for row in batch]
        if self.moved:
            self._learn(table, there)
        return touched, rows

    def _late(self) -> list[tuple[MovedTable, Sequence[bytes], Sequence[MovedRow]]]:
        """Behind the source's lock: the tables of which rows that move have changed, with the keys and the rows."""
        found: list[tuple[MovedTable, Sequence[bytes], Sequence[MovedRow]]] = []
        for each in self.tables:
            if self._has_changes(each):
                touched, rows = self._changed(each, log_of(each))
                if rows or self.target.has_any(each, touched):
                    found.append((each, touched, rows))
        return found

    def _follow_to_target(self, late: Sequence[tuple[MovedTable, Sequence[bytes], Sequence[MovedRow]]]) -> list[str]:
        """Change at the target what has changed at the source; returns what it refuses, by tables."""
        if not late:
            return []
        self.target.begin()
        try:
            for each, touched, rows in reversed(late):
                self.target.remove_keys(each, {*touched}.difference(key for key, _ in rows))
            for each, _, rows in late:
                self.target.put(each, (row for _, row in rows))
            self.target.commit()
        except DRIVER_ERRORS as error:
            self.target.rollback()
            if not is_of_integrity(error):
                raise
            return [f"{each.name}: {len(rows)} rows" for each, _, rows in late]
        self.target.sync()
        return []
