"""The plan of a split as one value: which table is copied where, and how much each shard will hold.

Never: reads or writes. `planning.py` makes the plan, `run.py` carries it out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from shardgate.split.database.ddl import Ddl
from shardgate.split.database.rows import RowKey
from shardgate.split.database.schema import KeyColumn
from shardgate.split.decide.balance import imbalance
from shardgate.split.decide.homes import Home
from shardgate.split.decide.ownership import OwnedTable, Ownership
from shardgate.split.decide.survey import Survey


class TenantLookup(Struct, frozen=True):
    """How the copy finds the tenant of a row: it tries the keys in order, and the first known one decides."""

    columns: tuple[tuple[KeyColumn, ...], ...]  # of each key
    tenants: tuple[Mapping[RowKey, Home], ...]  # for each key: its value -> tenant, or another home
    visits: Mapping[RowKey, tuple[Home, Home]] = {}  # by the first key: where else the row is needed


class ShardLoad(Struct, frozen=True):
    """What one shard will hold of the divided tables."""

    name: str
    tenants: int
    rows: int
    bytes: int


class SplitPlan(Struct, frozen=True):
    """Which shard gets which tenant, with all that is needed to make the shards."""

    space: str
    shards: tuple[str, ...]
    ownership: Ownership
    ddl: Ddl
    survey: Survey
    shard_of: Sequence[int]  # by tenant: an index into shards
    uuid_keys: bool = False  # the source stores tenants as 32 hexadecimal digits; the directory gets them with dashes
    ids: tuple[tuple[str, ...], ...] = ()  # by shard: the statements that give it ids of its own
    not_carried: frozenset[str] = frozenset()  # kinds of objects that the shards do not get, or get otherwise

    @property
    def directory(self) -> list[tuple[str, str]]:
        """The name of each tenant, and the name of its shard."""
        return [
            (str(UUID(key)) if self.uuid_keys else key, self.shards[self.shard_of[tenant]])
            for key, tenant in self.survey.tenants.items()
        ]

    @property
    def loads(self) -> list[ShardLoad]:
        rows = [sum(each) for each in zip(*self.survey.rows.values(), strict=True)]
        others = [sum(each) for each in zip(*(self._others(name) for name in self.survey.rows), strict=True)]
        loads = []
        for shard, name in enumerate(self.shards):
            mine = [tenant for tenant, where in enumerate(self.shard_of) if where == shard]
            size = sum(self.survey.weights[tenant] for tenant in mine)
            loads.append(ShardLoad(name, len(mine), sum(rows[t] for t in mine) + others[shard], size))
        return loads

    def expected(self, table: str) -> tuple[int, ...]:
        """The number of rows of a divided table on each shard."""
        counts = self._others(table)
        for tenant, rows in enumerate(self.survey.rows[table]):
            counts[self.shard_of[tenant]] += rows
        return tuple(counts)

    def source_rows(self, table: str) -> int:
        """The number of rows of a divided table in the source, as the survey counted them."""
        return sum(self.survey.rows[table]) + sum(self.survey.others.get(table, {}).values())

    def shards_of(self, home: Home) -> tuple[int, ...]:
        """The shards of a home, as indexes."""
        return self.survey.homes.shards_of(home, self.shard_of)

    def _others(self, table: str) -> list[int]:
        """By shard: the rows that belong to no single tenant, and those that rows of other tenants refer to."""
        counts = [0] * len(self.shards)
        for home, rows in self.survey.others.get(table, {}).items():
            for shard in self.shards_of(home):
                counts[shard] += rows
        for home, visited in self.survey.visits.get(table, {}).values():
            for shard in {*self.shards_of(visited)} - {*self.shards_of(home)}:
                counts[shard] += 1
        return counts

    @property
    def imbalance(self) -> float:
        """By how much the fullest shard exceeds the average, as a fraction of the average."""
        return imbalance([load.bytes for load in self.loads])

    @property
    def sole_tenant(self) -> str | None:
        """The tenant that is alone on the fullest shard. If there is one, no division could be more even."""
        loads = self.loads
        fullest = max(range(len(loads)), key=lambda shard: loads[shard].bytes)
        mine = [t for t, shard in enumerate(self.shard_of) if shard == fullest]
        return list(self.survey.tenants)[mine[0]] if len(mine) == 1 else None

    @property
    def fingerprint(self) -> str:
        """A hash that is equal for equal plans. --resume compares it with the mark of the interrupted run."""
        tables = [table.name for table in self.ownership.copied()]
        parts = (self.space, self.shards, tables, self.ddl.before, self.ddl.after, self.directory, self.ids)
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def lookup_for(owned: OwnedTable, survey: Survey) -> TenantLookup:
    """A table that others refer to is looked up by its own primary key, any other table by its foreign keys."""
    table = owned.table
    if (own := survey.owners.get((table.name, table.primary_key))) is not None:
        return TenantLookup((table.primary_key,), (own,), survey.visits.get(table.name, {}))
    first = owned.links[0]
    certain = [first] if not first.nullable else list(owned.links)
    return TenantLookup(
        tuple(link.read for link in certain),
        tuple(survey.owners[link.parent, link.parent_columns] for link in certain),
    )
