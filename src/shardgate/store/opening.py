"""Opens the store that a place names, and the leases of its workers."""

from pathlib import Path

from shardgate.store.database import Store, StoreError, StorePlace
from shardgate.store.leases import FileLeases, Leases
from shardgate.store.sqlite import BUSY_MS, SqliteStore

_EXTRA = "stores in PostgreSQL need the extra `postgresql`: pip install 'shardgate[postgresql]'"


def open_store(place: StorePlace, *, busy_ms: int = BUSY_MS) -> Store:
    """Open a store, and make it or bring it up to date where that is needed. Raises StoreError."""
    if isinstance(place, Path):
        return SqliteStore(place, busy_ms=busy_ms)
    try:
        from shardgate.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra
    except ImportError as error:
        raise StoreError(f"{place}: {_EXTRA} ({error})") from error
    store = PostgresStore(place)
    store.open()
    return store


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
