"""Opens the store that a place names, and the leases of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shardgate.core.hosts import PostgresUrl, no_place, postgres_url
from shardgate.store.database import Store, StoreError, StorePlace
from shardgate.store.leases import FileLeases, Leases
from shardgate.store.sqlite import BUSY_MS, SqliteStore

if TYPE_CHECKING:
    from shardgate.store.postgres import PostgresStore

_EXTRA = "stores in PostgreSQL need the extra `postgresql`: pip install 'shardgate[postgresql]'"


def store_place(text: str) -> StorePlace:
    """The place that a text names: a URL of PostgreSQL, or the path of a file. Raises StoreError."""
    if (url := postgres_url(text)) is not None:
        return url
    if problem := no_place(text):
        raise StoreError(f"the store has no place: {problem}")
    return Path(text)


def open_store(place: StorePlace, *, busy_ms: int = BUSY_MS) -> Store:
    """Open a store, and make it or bring it up to date where that is needed. Raises StoreError."""
    if isinstance(place, Path):
        return SqliteStore(place, busy_ms=busy_ms)
    store = remote_store(place)
    try:
        store.open()
    except BaseException:
        store.close()
        raise
    return store


def look(place: StorePlace) -> Mapping[str, Mapping[str, int]]:
    """Look whether the store can be used, without making it; returns how many keys each shard has, by space.

    Raises StoreError.
    """
    if isinstance(place, Path):
        with SqliteStore(place) as store:
            return store.counts()
    with remote_store(place) as store:
        return store.look()


def remote_store(place: PostgresUrl) -> PostgresStore:
    """A store in PostgreSQL, which is connected to when it is first used. Raises StoreError."""
    try:
        from shardgate.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra
    except ImportError as error:
        raise StoreError(f"{place}: {_EXTRA} ({error})") from error
    return PostgresStore(place)


def open_for_worker(place: StorePlace) -> tuple[Store, Leases]:
    """The store of one worker, which any of its threads may use, one at a time; and the worker's leases.

    One in PostgreSQL is connected to when it is first used, and again whenever the connection has broken. Raises
    StoreError.
    """
    if isinstance(place, Path):
        return SqliteStore(place, any_thread=True), FileLeases(place)
    try:
        from shardgate.store.postgres import PostgresStore  # noqa: PLC0415
        from shardgate.store.postgres_leases import PostgresLeases  # noqa: PLC0415
    except ImportError as error:
        raise StoreError(f"{place}: {_EXTRA} ({error})") from error
    leases = PostgresLeases(place)
    store = PostgresStore(place, leases)
    leases.ask = store.execute
    return store, leases
