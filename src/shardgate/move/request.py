"""What a movement must know of the application: how its data is divided, and the database of each shard.

Never: shows a URL with its password.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from shardgate.config.schema import ApplicationCopyConfig, MovementsConfig
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
    application: ApplicationCopyConfig | None = None
    """The application's own export and import, instead of the copy."""
    instances: Mapping[ShardId, str] = {}
    """The address of an instance of each shard: `http://127.0.0.1:8001`."""


_WORDS: Final = {"tenant", "shard", "instance"}


def _checked(application: ApplicationCopyConfig | None) -> ApplicationCopyConfig | None:
    """The same. Raises MoveRefusedError where it cannot be used."""
    if application is None:
        return None
    problems = []
    for name, command, url in (
        ("export", application.export_command, application.export_url),
        ("import", application.import_command, application.import_url),
    ):
        place = f"movements.application.{name}"
        if bool(command) == bool(url):
            problems.append(f"{place}_command and {place}_url: give one of them, and not both")
        if url and not url.startswith(("http://", "https://", "{instance}")):
            problems.append(f"{place}_url: {url} begins with neither http:// nor https:// nor {{instance}}")
        for text, words in ((url or "", _WORDS), (" ".join(command), {*_WORDS, "file"})):
            problems += [
                f"{place}: there is no {{{word}}}. There are {', '.join(f'{{{each}}}' for each in sorted(words))}"
                for word in re.findall(r"\{([a-z_]+)\}", text)
                if word not in words
            ]
    if problems:
        raise MoveRefusedError(problems)
    return application


def settings_of(
    config: MovementsConfig | None,
    shards: Sequence[ShardId],
    directory: StorePlace | None,
    store: StorePlace | None,
    given: Mapping[str, str],
    instances: Mapping[ShardId, str],
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
        application=_checked(config.application),
        instances=instances,
    )
