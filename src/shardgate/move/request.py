"""What a movement must know of the application: how its data is divided, and the database of each shard.

Never: shows a URL with its password.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from shardgate.config.schema import MovementsConfig
from shardgate.core.topology import ShardId
from shardgate.move.errors import MoveRefusedError
from shardgate.split.database.schema import DeclaredLink
from shardgate.split.errors import SplitRefusedError
from shardgate.split.request import parse_link
from shardgate.store.database import StorePlace


class MoveSettings(Struct, frozen=True):
    """The section `movements` of the configuration, checked."""

    store: StorePlace
    """Where the directory is."""
    journal: StorePlace
    tenant: str
    by: str | None
    space: str
    reference: tuple[str, ...]
    empty: tuple[str, ...]
    links: tuple[DeclaredLink, ...]
    databases: Mapping[ShardId, str]
    shards: tuple[ShardId, ...]
    local_ids: tuple[str, ...] = ()


def settings_of(
    config: MovementsConfig | None,
    shards: Sequence[ShardId],
    directory: StorePlace | None,
    store: StorePlace | None,
    given: Mapping[str, str],
) -> MoveSettings:
    """The settings, with the databases given by options instead of those of the file. Raises MoveRefusedError."""
    if directory is None or store is None:
        raise MoveRefusedError(["shardgate.yaml names no `directory`: without one no tenant has a shard to leave"])
    if config is None:
        raise MoveRefusedError(
            ["shardgate.yaml has no section `movements`, which says how the data is divided: see docs/howto/move.md"]
        )
    try:
        links = tuple(map(parse_link, config.links))
    except SplitRefusedError as error:
        raise MoveRefusedError(error.reasons) from error
    return MoveSettings(
        store=directory,
        journal=store,
        tenant=config.tenant,
        by=config.by,
        space=config.space or config.tenant,
        reference=config.reference,
        empty=config.empty,
        links=links,
        databases={**config.databases, **given},
        shards=tuple(shards),
        local_ids=config.local_ids,
    )
