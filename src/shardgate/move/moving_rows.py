"""The databases of both shards, and the rows on their way from one to the other.

Holds: what is written to the target, and deleted from the source, can be seen by nobody until it is committed.
Never: commits by itself what others would see, but for what a resumed movement puts right.
"""

import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from math import inf

from shardgate.move.checks import left_objections, torn_objections
from shardgate.move.database import PREFIX, ShardDatabase
from shardgate.move.errors import DifferentRowsError, GivenUpError, MoveRefusedError, NotNowError
from shardgate.move.gently import gently
from shardgate.move.pace import CopyPace
from shardgate.move.request import MoveSettings
from shardgate.move.shards import TenantDivision, open_shard, read_division
from shardgate.move.spellings import DatabaseKey, spellings_of
from shardgate.move.tables import MovedTable, moved_tables
from shardgate.move.unique_indexes import unique_keys
from shardgate.net.clock import now
from shardgate.split.database import sql
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.rows import TableDigest, digest_of


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
        try:
            self.keys: list[str] = [self._key(each) for each in tenants]
            """Of the tenants, as SQL."""
            self.tables = moved_tables(self.division.ownership, self.division.by, self.keys, self.source.relation)
        except BaseException:
            self.close()
            raise
        self._tenants = tenants
        self._source_name = source
        self.moved: set[str] = set()
        """What the gateway may have learned of the rows, after `learn`: the values of their unique columns."""
        self.ids: set[str] = set()
        """Those of them that name a row alone: values of unique columns, without those of several columns together."""
        self.is_copied = False
        """What is beside the target's tables, together with what was written down since, is all that moves."""
        self.is_unloaded = False
        """The rows are deleted from the source, in a transaction that is open."""

    def close(self) -> None:
        """Close both; open transactions are undone."""
        self.source.close()
        self.target.close()

    def keys_named(self, tenant: str, database: ShardDatabase) -> list[DatabaseKey]:
        """The keys in the table of the tenants that the directory may call so."""
        root = self.division.ownership.owned[0].table.name
        return database.keys_named(root, self.division.by, tenant)

    def _key(self, tenant: str) -> str:
        """As both databases have it: after a crash, one of them has the tenant. Raises MoveRefusedError."""
        for database in (self.source, self.target):
            found = self.keys_named(tenant, database)
            if chosen := [each for each in found if each.is_exact] or found:
                if len(chosen) > 1:
                    named = " and ".join(each.literal for each in chosen)
                    raise MoveRefusedError(
                        [
                            f"{tenant}: may be any of {named} in the column {self.division.by}. Write it into the"
                            " directory as the database has it"
                        ]
                    )
                return chosen[0].literal
        return sql.literal(tenant)

    def rollback(self) -> None:
        """Undo what is open in both databases."""
        self.target.rollback()
        self.source.rollback()
        self.is_unloaded = False

    def release(self) -> None:
        """Remove all that the movement has made beside the rows."""
        self.source.release()
        self.target.release()

    def count(self) -> int:
        """How many rows the tenants have."""
        return sum(_count(self.source, each) for each in self.tables)

    def copy(self) -> Generator[int, None, None]:
        """Keep all rows beside the target's tables; yields how many at a time, and rests between."""
        self.source.capture(self.tables)
        self.target.make_room(self.tables)
        pace = CopyPace()
        for each in self.tables:
            began_at = now()
            with closing(self.source.read(each, each.where)) as batches:
                while (batch := gently(partial(next, batches, None))) is not None:
                    self.target.keep_and_commit(each, batch)  # not gently: whoever gives way holds the lock longer
                    time.sleep(pace.rest_s(now() - began_at, len(batch)))
                    yield len(batch)
                    began_at = now()
        self.is_copied = True

    def catch_up(self) -> int:
        """Keep the rows that have changed since the last round; returns how many."""
        changed = 0
        for each in self.tables:
            if not self._has_changes(each):
                continue
            self.source.begin(snapshot=True)
            self.target.begin()
            try:
                changed += self._follow(each)
                self.source.run(f"DELETE FROM {_log(each)}")
                self.target.commit()  # first: what is written down twice does no harm
                self.source.commit()
            except BaseException:
                self.rollback()
                raise
        return changed

    def learn(self) -> None:
        """Note the values by which the gateway may have learned where a row is: those of unique columns.

        Raises GivenUpError where a row that moves has been linked to one that stays since that was checked.
        """
        if found := torn_objections(self._source_name, self.source, self.tables):
            raise GivenUpError(found)
        for each in self.tables:
            self._learn(each, each.where)

    def hand_over(self, until_s: float = inf) -> None:
        """Write all rows to the target and delete them from the source, in transactions that stay open.

        What was deleted is compared with what the target has then. Raises NotNowError where that differs, and where it
        takes longer than until that instant.
        """
        self.target.begin()
        for each in self.tables:
            if self._has_changes(each):
                self._follow(each)
        with ThreadPoolExecutor(1) as beside:
            unloading = beside.submit(self.unload, until_s)
            try:
                loaded = self.load(until_s)
            except DRIVER_ERRORS as error:
                if _is_of_integrity(error):
                    self.is_copied = False
                    raise DifferentRowsError(f"the target refuses the rows: {error}") from error
                raise
            unloaded = unloading.result()
        self.compare(unloaded, loaded)

    def compare(self, unloaded: Mapping[int, TableDigest], loaded: Mapping[int, TableDigest]) -> None:
        """Compare what was deleted with what the target has. Raises NotNowError."""
        for each in self.tables:
            wanted, got = unloaded[each.number], loaded[each.number]
            if wanted != got:
                self.is_copied = False
                raise DifferentRowsError(
                    f"{each.name}: has changed at the source while its changes were held, or the target keeps rows"
                    f" otherwise than they are written: {wanted.rows} rows at the source, {got.rows} at the target"
                )

    def load(self, until_s: float = inf) -> dict[int, TableDigest]:
        """Write all rows to the target, in its open transaction, and read them back."""
        for each in self.tables:
            _require_time(until_s)
            self.target.load(each)
            self.target.follow_counters(each, each.where)
        return {each.number: digest_of_table(self.target, each, until_s) for each in self.tables}

    def unload(self, until_s: float = inf) -> dict[int, TableDigest]:
        """Delete all rows from the source, in a transaction that stays open; what they were is returned.

        Raises GivenUpError where a row that stays is linked to one that goes: the source would refuse its own commit.
        """
        self.source.begin()
        if left := left_objections(self._source_name, self.source, self.tables):
            raise GivenUpError(left)
        self.source.pass_over_own_changes()
        found = {}
        for each in reversed(self.tables):  # each condition reads the parents' rows
            found[each.number] = TableDigest()
            for batch in self.source.remove(each):
                _require_time(until_s)
                found[each.number] += digest_of(batch)
        self.is_unloaded = True
        return found

    def commit_target(self) -> None:
        """Let everybody see what the target has got. Raises NotNowError where it refuses, and all is as it was."""
        try:
            self.target.commit()
        except DRIVER_ERRORS as error:
            self.rollback()
            self.take_back()  # its answer alone may be lost
            self.is_copied = False
            raise DifferentRowsError(f"the target refuses the rows: {type(error).__name__}: {error}") from error

    def tenants_on_target(self) -> list[str]:
        """Those whose own row the target has."""
        return [each for each in self._tenants if self.keys_named(each, self.target)]

    def late_changes(self) -> list[str]:
        """What the source has otherwise than it was moved, by tables: somebody changed it after the target had it."""
        found = []
        for each in self.tables:
            moved = Counter(hash(row) for batch in self.target.kept(each) for row in batch)
            left = Counter(hash(row) for batch in self.source.rows(each) for row in batch)
            if changed := (left - moved).total() or (moved - left).total():
                found.append(f"{each.name}: {changed} rows")
        return found

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

    def _delete(self, database: ShardDatabase) -> None:
        # Each condition reads the parents' rows: children go first.
        for each in reversed(self.tables):
            database.run(f"DELETE FROM {database.relation(each.name)} WHERE {each.where}")

    def _has_changes(self, table: MovedTable) -> bool:
        return bool(self.source.query(f"SELECT 1 FROM {_log(table)} LIMIT 1"))

    def _follow(self, table: MovedTable) -> int:
        """Put the changed rows of a table beside the target's, as they are now; returns how many have changed."""
        touched = self.source.keys(table, _log(table))
        columns = sql.listed(table.key)
        own = columns if len(table.key) == 1 else f"({columns})"
        there = f"{table.where} AND {own} IN (SELECT {columns} FROM {_log(table)})"
        rows = [row for batch in self.source.read(table, there) for row in batch]
        self.target.drop(table, touched)
        self.target.keep(table, rows)
        if self.moved:
            self._learn(table, there)
        return len(touched)

    def _learn(self, table: MovedTable, where: str) -> None:
        for columns in unique_keys(table.key, self.source.unique_indexes(table)):
            for batch in self.source.values(table, columns, where):
                spelled = [[*spellings_of(value)] for row in batch for value in row]
                self.moved.update(*spelled)
                if len(columns) == 1:
                    self.ids.update(*spelled)


def _is_of_integrity(error: Exception) -> bool:
    """Both drivers call it so (PEP 249): the rows are at odds with others, and nobody holds a lock."""
    return any(each.__name__ == "IntegrityError" for each in type(error).__mro__)


def _log(table: MovedTable) -> str:
    """Where the source writes down which rows change."""
    return sql.quote(f"{PREFIX}{table.number}")


def _count(database: ShardDatabase, table: MovedTable) -> int:
    ((count,),) = database.query(f"SELECT count(*) FROM {database.relation(table.name)} WHERE {table.where}")
    return int(str(count))


def _require_time(until_s: float) -> None:
    if now() > until_s:
        raise NotNowError("the rows took longer than requests may wait for this attempt")


def digest_of_table(database: ShardDatabase, table: MovedTable, until_s: float = inf) -> TableDigest:
    """The number of the rows that move, and their checksum. Raises NotNowError after that instant."""
    total = TableDigest()
    for batch in database.rows(table):
        _require_time(until_s)
        total += digest_of(batch)
    return total
