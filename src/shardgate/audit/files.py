"""Rules about files: secrets, the store, and what the gateway runs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shardgate.audit.access import anybody_may_change, exposure, open_folders
from shardgate.audit.rule import Danger
from shardgate.config.load import Loaded

_BESIDE = ("", "-wal", "-shm", "-journal")
"""The files that SQLite keeps for one database."""


def secret_files(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    """The files with a secret or a private key, each with the path of the field that names it."""
    config = loaded.config
    if config.cursors is not None and config.cursors.secret_file is not None:
        yield "cursors.secret_file", loaded.file.parent / config.cursors.secret_file
    if loaded.clients is not None:
        source, algorithms = loaded.clients.tokens.source, loaded.clients.tokens.algorithms
        # A public key is no secret, but whoever may replace it can sign tokens.
        if source.kind in {"key_file", "jwks_file"} and any(each.startswith("HS") for each in algorithms):
            yield f"clients.jwt.{source.kind}", Path(source.place)
    if loaded.tls is not None and (named := loaded.tls.key or loaded.tls.certificate):
        yield "tls.key" if loaded.tls.key else "tls.certificate", Path(named)
    for name, shard in loaded.shards.items():
        if shard.tls is not None and (named := shard.tls.key or shard.tls.certificate):
            yield f"shards.{name}.{'key' if shard.tls.key else 'certificate'}", Path(named)


def trusted_files(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    """The files that decide what the gateway does, and hold no secret."""
    config, folder = loaded.config, loaded.file.parent
    yield "", loaded.file
    for path, file in _plugin_files({name: getattr(config, name) for name in ("locators", "dialects", "rules")}):
        yield path, folder / file
    if config.openapi is not None:
        yield "openapi", folder / config.openapi
    if loaded.clients is not None and loaded.clients.tokens.source.kind in {"key_file", "jwks_file"}:
        yield f"clients.jwt.{loaded.clients.tokens.source.kind}", Path(loaded.clients.tokens.source.place)
    if loaded.tls is not None and loaded.tls.ca is not None:
        yield "tls.client_ca", Path(loaded.tls.ca)
    for name, shard in loaded.shards.items():
        if shard.tls is not None and shard.tls.ca is not None:
            yield f"shards.{name}.ca", Path(shard.tls.ca)


def secrets_that_others_may_read(loaded: Loaded) -> Iterator[Danger]:
    """SGA01."""
    for path, file in secret_files(loaded):
        if said := exposure(file):
            yield Danger(path, f"{file} {said}")


def stores_that_others_may_read(loaded: Loaded) -> Iterator[Danger]:
    """SGA02."""
    for path, store in _stores(loaded):
        for end in _BESIDE:
            file = store.with_name(store.name + end)
            if said := exposure(file):
                yield Danger(path, f"{file} {said}")


def folders_that_anybody_may_write(loaded: Loaded) -> Iterator[Danger]:
    """SGA03."""
    named = [
        *((path, file, True) for path, file in _stores(loaded)),
        *((path, file, False) for path, file in [*secret_files(loaded), *trusted_files(loaded)]),
    ]
    told = set()
    for path, file, shared in named:
        for folder in open_folders(file, shared=shared):
            if (path, folder) not in told:
                told.add((path, folder))
                yield Danger(path, f"everybody may write into {folder}, the folder of {file}")


def instructions_that_anybody_may_change(loaded: Loaded) -> Iterator[Danger]:
    """SGA04."""
    for path, file in trusted_files(loaded):
        if anybody_may_change(file):
            yield Danger(path, f"everybody may write into {file}")


def logs_that_others_may_read(loaded: Loaded) -> Iterator[Danger]:
    """SGA31. Its group may read it: that is how logs are collected."""
    if loaded.access_log is None or loaded.access_log.to in {"stdout", "stderr"}:
        return
    file = Path(loaded.access_log.to)
    if said := exposure(file, group_reads=True):
        yield Danger("access_log", f"{file} {said}")


def _plugin_files(written: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The files of plug-ins that the configuration names, as `./file.py:Class`."""
    if isinstance(written, Mapping):
        if written.get("kind") == "custom" and ".py:" in str(written.get("class")):
            yield f"{path}.class", str(written["class"]).rpartition(":")[0]
        for name, each in written.items():
            yield from _plugin_files(each, f"{path}.{name}" if path else str(name))
    elif isinstance(written, list):
        for number, each in enumerate(written):
            yield from _plugin_files(each, f"{path}[{number}]")


def _stores(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    if isinstance(loaded.store, Path) and loaded.config.store:
        yield "store", loaded.store
    if isinstance(loaded.directory, Path) and loaded.directory != (loaded.store if loaded.config.store else None):
        yield "directory", loaded.directory
