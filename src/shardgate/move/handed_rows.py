"""The rows of tenants that the application itself exports and imports.

    copying: export ─► fenced: export again, if the rows have changed; delete, uncommitted
                    ─► committing: import ─► compare ─► flip ─► commit the delete

Holds: nobody sees an imported row before gateways hold lists and the tenant's changes. What was imported is compared
with what the source had, row by row; where it differs, or where the import failed, it is deleted from the target.
Never: gives lists free while an import may still be at work.
"""

import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from math import inf
from pathlib import Path

from shardgate.config.schema import ApplicationCopyConfig
from shardgate.move.application import ApplicationFailedError, CarrierPlace, TenantCarrier
from shardgate.move.database import ShardDatabase
from shardgate.move.errors import DifferentRowsError, GivenUpError
from shardgate.move.gently import gently
from shardgate.move.moving_rows import MovingRows, digest_of_table
from shardgate.move.request import MoveSettings
from shardgate.move.shards import open_shard
from shardgate.move.tables import MovedTable
from shardgate.net.clock import now
from shardgate.split.database.rows import TableDigest


class HandedRows(MovingRows):
    """The databases of both shards, and the files between an export and an import."""

    def __init__(self, settings: MoveSettings, source: str, target: str, tenants: Sequence[str]) -> None:
        super().__init__(settings, source, target, tenants)
        self._settings = settings
        self._tenants = tenants
        self._config = settings.application or ApplicationCopyConfig()
        self._application = TenantCarrier(self._config)
        self._places = [
            CarrierPlace(shard, settings.instances.get(shard, ""), settings.databases[shard])
            for shard in (source, target)
        ]
        self._folder = Path(tempfile.mkdtemp(prefix="shardgate-move-"))
        self._exported: dict[int, TableDigest] = {}
        self._began_at = 0.0

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def copy(self) -> Generator[int, None, None]:
        """Let the application export the tenants while it serves; yields how many rows that were."""
        gently(partial(self._export, self._config.export_timeout_s))
        yield sum(digest.rows for digest in self._exported.values())

    def catch_up(self) -> int:
        """Nothing: what has changed is exported again behind the fence."""
        return 0

    def hand_over(self, until_s: float = inf) -> None:
        """Delete the rows from the source, in a transaction that stays open; they are what was exported.

        `until_s` is not heeded: the application has timeouts of its own.
        """
        self._began_at = now()
        if self._digests(self.source) != self._exported:
            self._export(self._left_s())
            self.learn()
        if self.unload() != self._exported:
            self.is_copied = False
            raise DifferentRowsError("rows of the tenant have changed at the source while its changes were held")

    def commit_target(self) -> None:
        """Let the application import the tenants, and compare. Raises GivenUpError, and NoAnswerError."""
        try:
            for tenant in self._tenants:
                self._application.take_in(tenant, self._places[1], self._file(tenant), self._left_s())
            problems = self._differences()
        except ApplicationFailedError as error:
            problems = [str(error)]
        if problems:
            self.take_back()
            raise GivenUpError(problems)
        self.target.begin()
        for each in self.tables:
            self.target.follow_counters(each, each.where)
        self.target.commit()

    def take_back(self) -> None:
        """Delete what was imported, also what an import that was killed is still writing."""
        self.target.await_writers(self.tables)
        super().take_back()

    def late_changes(self) -> list[str]:
        """What the source has otherwise than it was exported, by tables: somebody changed it after the import.

        Another mover's export is not known: then it is what the source has otherwise than the target.
        """
        if self._exported:
            left, had = self._digests(self.source), self._exported
            return [f"{each.name}: other rows" for each in self.tables if left[each.number] != had[each.number]]
        found = ((each.name, self._differs(each)) for each in self.tables)
        return [f"{name}: {key}" for name, key in found if key]

    def _export(self, within_s: float) -> None:
        # Before the export: what changes meanwhile is found by the next look.
        self._exported = self._digests(self.source)
        until = now() + within_s
        try:
            for tenant in self._tenants:
                self._file(tenant).unlink(missing_ok=True)
                self._application.export(tenant, self._places[0], self._file(tenant), until - now())
        except ApplicationFailedError as error:
            raise GivenUpError([str(error)]) from error
        self.is_copied = True

    def _differences(self) -> list[str]:
        """One line for each table whose rows are not on the target as they were on the source."""
        found = []
        for each in self.tables:
            wanted, got = self._exported[each.number], digest_of_table(self.target, each)
            if wanted != got:
                found.append(
                    f"{each.name}: the import has {got.rows} rows instead of {wanted.rows}, or others:"
                    f" {self._differs(each)} is the first that differs. It was taken back"
                )
        return found

    def _differs(self, table: MovedTable) -> str:
        """The first row that is not the same on both shards; empty: none."""
        with closing(open_shard(self._settings, self._places[0].shard)) as source:  # it does not see our delete
            ours, theirs = (
                {key: hash(row) for batch in database.read(table, table.where) for key, row in batch}
                for database in (source, self.target)
            )
        different = [key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)]
        return self.target.shown(min(different)) if different else ""

    def _digests(self, database: ShardDatabase) -> dict[int, TableDigest]:
        return {each.number: digest_of_table(database, each) for each in self.tables}

    def _left_s(self) -> float:
        return max(0.1, self._config.timeout_s - (now() - self._began_at))

    def _file(self, tenant: str) -> Path:
        return self._folder / f"{self._tenants.index(tenant)}.export"
