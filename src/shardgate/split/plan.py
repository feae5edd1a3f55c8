"""The whole plan of a split, as one value: what is copied where, and how much it is.

Never: reads or writes; `run.py` makes a plan out of what it read, and carries it out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from shardgate.split.balance import imbalance
from shardgate.split.ddl import Ddl
from shardgate.split.ownership import Owned, Ownership
from shardgate.split.rows import Key
from shardgate.split.survey import Survey


class Route(Struct, frozen=True):
    """How the copy finds the tenant of a table's rows: the first key that is known decides."""

    columns: tuple[tuple[str, ...], ...]
    tenants: tuple[Mapping[Key, int], ...]


class ShardLoad(Struct, frozen=True):
    """What one shard will hold of the tenants' tables."""

    name: str
    tenants: int
    rows: int
    bytes: int


class Plan(Struct, frozen=True):
    """Who goes where."""

    space: str
    shards: tuple[str, ...]
    ownership: Ownership
    ddl: Ddl
    survey: Survey
    shard_of: Sequence[int]  # by tenant
    uuid_keys: bool = False  # stored as 32 digits; an application writes them with dashes

    @property
    def directory(self) -> list[tuple[str, str]]:
        return [
            (str(UUID(key)) if self.uuid_keys else key, self.shards[self.shard_of[tenant]])
            for key, tenant in self.survey.tenants.items()
        ]

    @property
    def loads(self) -> list[ShardLoad]:
        rows = [sum(each) for each in zip(*self.survey.rows.values(), strict=True)]
        loads = []
        for shard, name in enumerate(self.shards):
            mine = [tenant for tenant, where in enumerate(self.shard_of) if where == shard]
            size = sum(self.survey.weights[tenant] for tenant in mine)
            loads.append(ShardLoad(name, len(mine), sum(rows[t] for t in mine), size))
        return loads

    @property
    def imbalance(self) -> float:
        return imbalance([load.bytes for load in self.loads])

    @property
    def lonely(self) -> str | None:
        """The tenant that fills the fullest shard alone: no division could be more even."""
        loads = self.loads
        fullest = max(range(len(loads)), key=lambda shard: loads[shard].bytes)
        mine = [t for t, shard in enumerate(self.shard_of) if shard == fullest]
        return list(self.survey.tenants)[mine[0]] if len(mine) == 1 else None

    @property
    def fingerprint(self) -> str:
        """Equal plans, equal fingerprints: what --resume compares."""
        tables = [table.name for table in self.ownership.copied()]
        parts = (self.space, self.shards, tables, self.ddl.before, self.ddl.after, self.directory)
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def route_of(owned: Owned, survey: Survey) -> Route:
    """A table that others refer to knows its own keys; another one asks its parents."""
    table = owned.table
    if (own := survey.owners.get((table.name, table.primary_key))) is not None:
        return Route((table.primary_key,), (own,))
    first = owned.links[0]
    certain = [first] if not first.nullable else list(owned.links)
    return Route(
        tuple(link.columns for link in certain),
        tuple(survey.owners[link.parent, link.parent_columns] for link in certain),
    )
