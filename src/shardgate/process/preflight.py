"""Checks a configuration before it is served, with everything that it names: the store, the directory, TLS, keys.

Holds: a configuration that passes can be served. Every command and every reload reads it by this one function.
Never: serves.
"""

import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from shardgate.audit.run import AuditWarning, audit_mistakes, warnings_in
from shardgate.clients.keys import KeyRing, KeysError
from shardgate.config.load import ConfigError, Loaded, load
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.topology import TlsFiles
from shardgate.net.tls import Tls, for_clients, for_shards
from shardgate.store.database import StoreError
from shardgate.store.opening import look

_log = logging.getLogger("shardgate")


def read(file: Path) -> Loaded:
    """Read a configuration and check what it names. Raises ConfigError with all mistakes that were found."""
    loaded = load(file)
    found = [*_check_directory(loaded), *_check_store(loaded), *_check_tls(loaded), *_check_keys(loaded)]
    mistakes = [loaded.named(mistake) for mistake in found]
    if mistakes := [*mistakes, *audit_mistakes(loaded)]:
        raise ConfigError(mistakes)
    return loaded


def audit(loaded: Loaded) -> list[AuditWarning]:
    """The choices that are dangerous, and that the configuration does not accept (docs/reference/audit.md)."""
    return warnings_in(loaded)


def judged(loaded: Loaded, *, strict: bool) -> Loaded:
    """The same configuration, before it is served: its warnings are logged, one line each.

    Raises ConfigError where it has warnings and `strict` allows none.
    """
    warnings = audit(loaded)
    if warnings and strict:
        raise ConfigError(
            [Mistake(each.place, f"{each.rule.number}: {each.what}", each.rule.cure) for each in warnings]
        )
    for warning in warnings:
        _log.warning("%s", warning.line())
    return loaded


def _check_tls(loaded: Loaded) -> Iterator[Mistake]:
    for place, files, build in _tls_files(loaded):
        try:
            Tls(files, build)
        except OSError as error:
            cure = "check the path, and that certificate and key belong together"
            yield Mistake(place, f"TLS cannot be set up: {error}", cure)


def _check_keys(loaded: Loaded) -> Iterator[Mistake]:
    """Only keys on this machine: those behind a URL are fetched when the gateway serves."""
    if loaded.clients is None:
        return
    terms = loaded.clients.tokens
    try:
        KeyRing(terms.source, terms.algorithms).load()
    except KeysError as error:
        cure = "docs/reference/clients.md says what each place of keys holds"
        yield Mistake(f"clients.jwt.{terms.source.kind}", str(error), cure)


def _tls_files(loaded: Loaded) -> Iterator[tuple[str, TlsFiles, Callable[[TlsFiles], ssl.SSLContext]]]:
    if loaded.tls is not None:
        yield "tls", loaded.tls, for_clients
    for shard in loaded.shards.values():
        if shard.tls is not None:
            yield f"shards.{shard.id}", shard.tls, for_shards


def _check_store(loaded: Loaded) -> Iterator[Mistake]:
    """A store that does not exist yet is made when the gateway serves. `_check_directory` looks at the directory's."""
    store = loaded.store
    if store is None or store == loaded.directory:
        return
    if isinstance(store, Path) and not store.exists():
        if not store.parent.is_dir():
            yield Mistake("store", f"{store.parent} does not exist", "make the folder, or correct the path")
        return
    try:
        look(store)
    except StoreError as error:
        yield Mistake("store", str(error), "name a file that shardgate made, or one that is not there yet")


def _check_directory(loaded: Loaded) -> list[Mistake]:
    """Each shard of the directory must be configured."""
    if loaded.directory is None:
        return []
    try:
        named = {shard for shards in look(loaded.directory).values() for shard in shards}
    except StoreError as error:
        if isinstance(loaded.directory, Path):
            return [Mistake("directory", str(error), "name the file that `shardgate split` wrote")]
        field = "directory" if loaded.config.directory else "store"
        return [Mistake(field, str(error), "see docs/howto/several-gateways.md")]
    cure = f"add it under `shards`; there are: {', '.join(loaded.shards)}"
    return [
        Mistake("shards", f"the directory gives keys to {shard!r}, which is no shard here", cure)
        for shard in sorted(named - set(loaded.shards))
    ]
