"""Builds the map of a store's directory, in a process that serves nobody: `python -m shardgate.store.map_build`.

It is told by its standard input what to do: a URL has a password, and others see the words that a program is started
with. It reads the keys page by page and keeps no transaction open: what changes meanwhile is in the log, and the map
says as of which epoch its readers need the log.

Holds: one process of a machine builds the map of a store at a time; it holds a lock that the kernel ends with it.
Never: outlives the process that started it.
"""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast, get_args

import msgspec

from shardgate.core.limits import DIRECTORY_HELD_KEYS_MAX
from shardgate.core.locate.compare import Compare, compared
from shardgate.store import directory_table as table
from shardgate.store.database import Store
from shardgate.store.directory_map import DirectoryMap, MapError, equal_prefix, has_compares, key_prefix
from shardgate.store.map_patch import patch_map
from shardgate.store.map_place import map_path
from shardgate.store.map_writer import EQUAL, PlacedKey, write_map
from shardgate.store.opening import open_store, store_place

Compares = Mapping[str, frozenset[Compare]]
"""How the keys of each space compare, where it is not by their text alone."""

PAGE_ROWS: Final = 5_000
_NICENESS: Final = 10  # those that serve go first


class MapOrder(msgspec.Struct, frozen=True):
    """What is to be made."""

    store: str
    path: str
    compares: dict[str, frozenset[Compare]]


def build_map(store: Store, path: Path, compares: Compares, progress: Callable[[int], None] = lambda _: None) -> bool:
    """Make the map as of now, unless another process makes one; returns whether it has. Raises OSError.

    `progress` is called with the number of keys of each page.
    """
    with locked(path) as is_mine:
        if is_mine and not _patched(store, path, compares):
            epoch = table.current(store)
            listed: list[tuple[str, str]] = [
                (space, how) for space, ways in sorted(compares.items()) for how in sorted(ways)
            ]
            write_map(path, lambda: _entries(store, compares, progress), epoch.number, epoch.token, listed)
    return is_mine


def renew_map(store: Store, progress: Callable[[int], None] = lambda _: None) -> None:
    """After many keys were stored: make the map of a store that is a file, so that a gateway starts with it.

    Where there are few keys, or no map can be made, nothing is done: a gateway goes on without it.
    """
    path = map_path(store.place)
    keys = sum(sum(each.values()) for each in store.counts().values())
    if path is None or not isinstance(store.place, Path) or keys <= DIRECTORY_HELD_KEYS_MAX:
        return
    compares: dict[str, frozenset[Compare]] = {}
    with suppress(OSError, MapError):
        for space, how in DirectoryMap(path).header.compares:
            compares[space] = compares.get(space, frozenset[Compare]()) | {cast("Compare", how)}
    with suppress(OSError):
        build_map(store, path, compares, progress)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the right to make this map; gives False where another process has it. Raises OSError."""
    file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _patched(store: Store, path: Path, compares: Compares) -> bool:
    """Whether the map that is there could be brought up to date."""
    try:
        old = DirectoryMap(path)
        if not has_compares(old.header, compares):
            return False
        found = table.changes_since(store, table.Epoch(old.header.epoch, old.header.token), table.LOG_ROWS_MAX)
        if found is None or len(found[1]) > table.LOG_ROWS_MAX:
            return False
        epoch, rows = found
        keys = [row for row in rows if row.kind == table.KEY]
        if {space for space, _ in old.header.compares} & {row.space for row in keys}:
            return False  # which of the spellings that compare equal are still there is not known
        prefixes = {space: key_prefix(space) for space in {row.space for row in keys}}
        changes = {prefixes[row.space] + _encoded(row.key): row.value for row in keys}
        return patch_map(old, changes, epoch.number, epoch.token)
    except (OSError, MapError):
        return False


def _entries(store: Store, compares: Compares, progress: Callable[[int], None]) -> Iterator[PlacedKey]:
    for space in store.spaces():
        prefix = key_prefix(space)
        ways = [(how, equal_prefix(space, how)) for how in get_args(Compare) if how in compares.get(space, ())]
        for page in table.pages(store, space, PAGE_ROWS):
            for key, shard in page:
                yield prefix + _encoded(key), shard
                for how, equal in ways:
                    yield equal + _encoded(compared(key, how)), EQUAL + shard
            progress(len(page))


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def main() -> None:
    """Build the map that standard input says. Ends when its parent has ended."""
    os.nice(_NICENESS)
    parent = os.getppid()
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=MapOrder)

    def goes_on(_: int) -> None:
        if os.getppid() != parent:
            sys.exit("shardgate: the process that wanted the map has ended")

    with open_store(store_place(order.store)) as store:
        build_map(store, Path(order.path), order.compares, goes_on)


if __name__ == "__main__":
    main()
