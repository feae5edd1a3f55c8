"""Reads the directory as one worker uses it: all keys in memory where they are few, else a map and what changed since.

    held     dicts with all keys
    mapped   a map, and dicts with the keys that changed since it was made
    asked    the store, key by key: while there is no map yet, or more has changed than can be taken over at once
    behind   the same where the store is on another machine: what was known before, and nothing else, until the map is
             there

Holds: a view has all changes of its epoch, or none; it is replaced, never changed. To take the next one stops its
caller for no longer than the changes of `INLINE_ROWS_MAX` keys take.
Never: writes into the store.
"""

import sys
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from shardgate.core.errors import StoreUnavailableError
from shardgate.core.limits import DIRECTORY_COMPARED_KEYS_MAX, DIRECTORY_HELD_KEYS_MAX
from shardgate.core.locate.compare import compared
from shardgate.core.topology import OwnerTable, ShardId
from shardgate.store import directory_table as table
from shardgate.store.database import Store
from shardgate.store.directory_map import DirectoryMap, MapError, has_compares
from shardgate.store.directory_table import Epoch, LoggedChange
from shardgate.store.map_build import Compares, build_map
from shardgate.store.map_place import map_path
from shardgate.store.owners import UNSURE, BehindOwners, MappedOwners, StoredOwners, spelled
from shardgate.store.parts import changed_parts, read_parts

INLINE_ROWS_MAX: Final = 500  # 1 ms
SLICE_ROWS: Final = 200
CHANGED_WANTED_MAX: Final = 5_000  # more than that: the next map is made
CHANGED_MAX: Final = 20_000  # to copy so many takes 0.5 ms, at each change
_LOOK_S: Final = 0.1
_HELD_IN_NEED: Final = 4  # where no map can be made, so many times more keys are held

PartedShards = Mapping[str, Mapping[str, tuple[ShardId, ...]]]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The directory at one epoch."""

    epoch: Epoch
    how: Literal["held", "mapped", "asked", "behind"]
    tables: Mapping[str, OwnerTable]
    """Space → the shards of its keys."""
    parts: PartedShards
    keys: int = 0
    """How many there are; of a map, when it was made."""
    held_max: int
    """How many are held."""
    of: DirectoryMap | None = None
    changed: Mapping[str, Mapping[str, ShardId | None]] = {}
    """What changed since the map was made."""
    equals: Mapping[str, Mapping[tuple[str, str], str]] = {}

    @property
    def wants_map(self) -> bool:
        """Whether a map should be made, or a newer one."""
        if self.how == "behind":
            return True
        if self.of is not None:
            many = sum(map(len, self.changed.values())) > CHANGED_WANTED_MAX
            return many or self.of.is_broken or any(UNSURE in each.values() for each in self.equals.values())
        return self.keys > self.held_max


class DirectoryReader:
    """The directory in one store."""

    __slots__ = ("_compares", "_everybody", "_held_max", "_is_remote", "_map", "_seen", "_store")

    def __init__(self, store: Store, everybody: Sequence[ShardId], compares: Compares) -> None:
        """`everybody`: all shards. `compares`: how keys compare, for each space where it is not by their text alone.

        A store on another machine is asked by a thread; the loop looks keys up in a map.
        """
        self._store = store
        self._everybody = tuple(everybody)
        self._compares = compares
        self._held_max = DIRECTORY_COMPARED_KEYS_MAX if compares else DIRECTORY_HELD_KEYS_MAX
        self._is_remote = not isinstance(store.place, Path)
        self._map = map_path(store.place)
        if self._map is None:
            self._held_max = sys.maxsize
        self._seen: tuple[int, int, int] | None = None

    @property
    def map_path(self) -> Path | None:
        """Where the map lies; None: there can be none."""
        return self._map

    def first(self) -> View:
        """The directory as it is now. Raises what the store raises.

        Where the store is on another machine, it has many keys, and there is no map of them yet, it is made now.
        """
        while (view := self.reload()) is None:
            assert self._map is not None
            try:
                if not build_map(self._store, self._map, self._compares):
                    time.sleep(_LOOK_S)  # another process makes it
            except OSError:
                self._held_max = sys.maxsize
        return view

    def reload(self) -> View | None:
        """Read the directory anew; None: there must be a map first. Raises what the store raises."""
        steps = self.load()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                view: View | None = end.value
                return view

    def next(self, view: View) -> View | None:
        """The view of a newer epoch; None: there is none. Raises what the store raises."""
        if view.how == "behind":
            return None
        self._store.prepare()
        if table.current(self._store) == view.epoch:
            return None
        found = table.changes_since(self._store, view.epoch, INLINE_ROWS_MAX)
        if found is None or len(found[1]) > INLINE_ROWS_MAX:
            return self._leapt(view)
        after = self._applied(view, *found)
        too_many = after.how == "held" and after.keys > _HELD_IN_NEED * self._held_max
        if too_many or sum(map(len, after.changed.values())) > CHANGED_MAX:
            return self._leapt(view)
        return after

    def load(self) -> Generator[None, None, View | None]:
        """Read the directory anew, step by step: all keys, or the map with the log. Raises what the store raises."""
        self._store.prepare()
        count = sum(sum(each.values()) for each in table.counts(self._store).values())
        if count <= self._held_max:
            return (yield from self._held())
        mapped = yield from self._mapped()
        return self._asked() if mapped is None and not self._is_remote else mapped

    def has_new_map(self) -> bool:
        """Whether a map is there that was not looked at yet."""
        if self._map is None:
            return False
        try:
            status = self._map.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino, status.st_mtime_ns) != self._seen

    def _leapt(self, view: View) -> View:
        """Where more has changed than can be taken over at once."""
        if not self._is_remote:
            return self._asked()
        after = self.reload()
        if after is not None:
            return after
        tables = {space: BehindOwners(space, each) for space, each in view.tables.items()}
        return msgspec.structs.replace(view, how="behind", tables=tables)

    def _held(self) -> Generator[None, None, View]:
        store = self._store
        # The epoch first: what changes meanwhile is then in the log.
        epoch, parts = table.current(store), read_parts(self._store, self._everybody)
        tables: dict[str, dict[str, ShardId]] = {}
        for space in table.counts(store):
            tables[space] = {}
            for page in table.pages(store, space, SLICE_ROWS):
                tables[space].update(page)
                yield
        count = sum(map(len, tables.values()))
        return View(epoch=epoch, how="held", tables=tables, parts=parts, keys=count, held_max=self._held_max)

    def _mapped(self) -> Generator[None, None, View | None]:
        """The map with what is in the log; None where there is no map, or not all of the log."""
        store = self._store
        assert self._map is not None
        try:
            of = DirectoryMap(self._map)
        except (OSError, MapError):
            return None
        self._seen = of.identity
        begin, until = Epoch(of.header.epoch, of.header.token), table.current(store)
        if not has_compares(of.header, self._compares) or until.number < begin.number:
            return None
        parts = read_parts(self._store, self._everybody)
        keys, held_max = of.header.entries, self._held_max
        view = View(epoch=begin, how="mapped", tables={}, parts=parts, keys=keys, held_max=held_max, of=of)
        changed: dict[str, dict[str, ShardId | None]] = {}
        for count, page in enumerate(table.log_pages(store, begin.number, until.number, SLICE_ROWS)):
            for row in page:
                if row.kind == table.KEY:
                    changed.setdefault(row.space, {})[row.key] = row.value
            if count * SLICE_ROWS > CHANGED_MAX:
                return None
            yield
        if not table.is_known(store, begin) or table.token_of(store, until.number) != until.token:
            return None
        equals = {space: self._equals(view, space, changes) for space, changes in changed.items()}
        return self._with_changes(view, until, changed, equals, parts)

    def _asked(self) -> View:
        store = self._store
        epoch, found = table.current(store), table.counts(store)
        return View(
            epoch=epoch,
            how="asked",
            tables={space: StoredOwners(space, self._find) for space in found},
            parts=read_parts(self._store, self._everybody),
            keys=sum(sum(each.values()) for each in found.values()),
            held_max=self._held_max,
        )

    def _applied(self, view: View, epoch: Epoch, rows: Sequence[LoggedChange]) -> View:
        keys: dict[str, dict[str, ShardId | None]] = {}
        new_parts: dict[str, dict[str, tuple[ShardId, ...]]] = {}
        for row in rows:
            if row.kind == table.PARTS:
                may_have = changed_parts(row.value or "[[], false]", self._everybody)
                new_parts.setdefault(row.space, {})[row.key] = may_have
            else:
                keys.setdefault(row.space, {})[row.key] = row.value
        parts = {**view.parts}
        for space, each in new_parts.items():
            parts[space] = {**view.parts.get(space, {}), **each}
        if view.how == "asked":
            new = {space: StoredOwners(space, self._find) for space in keys}
            return msgspec.structs.replace(view, epoch=epoch, parts=parts, tables={**view.tables, **new})
        if view.how == "held":
            tables = {**view.tables, **{space: _held_with(view.tables, space, each) for space, each in keys.items()}}
            count = sum(map(len, tables.values()))  # type: ignore[arg-type]
            return msgspec.structs.replace(view, epoch=epoch, parts=parts, tables=tables, keys=count)
        changed = {**view.changed, **{space: {**view.changed.get(space, {}), **each} for space, each in keys.items()}}
        equals = {**view.equals, **{space: self._equals(view, space, each) for space, each in keys.items()}}
        return self._with_changes(view, epoch, changed, equals, parts)

    def _with_changes(
        self,
        view: View,
        epoch: Epoch,
        changed: Mapping[str, Mapping[str, ShardId | None]],
        equals: Mapping[str, Mapping[tuple[str, str], str]],
        parts: PartedShards,
    ) -> View:
        assert view.of is not None
        of = view.of
        spaces = {*table.counts(self._store), *changed}
        tables = {
            space: MappedOwners(space, of, changed.get(space, {}), equals.get(space, {}), self._find)
            for space in spaces
        }
        return msgspec.structs.replace(view, epoch=epoch, tables=tables, parts=parts, changed=changed, equals=equals)

    def _equals(self, view: View, space: str, changes: Mapping[str, ShardId | None]) -> dict[tuple[str, str], str]:
        """What is known of the keys that compare equal, after these changes."""
        known = {**view.equals.get(space, {})}
        if view.of is None or not self._compares.get(space):
            return known
        before = MappedOwners(space, view.of, view.changed.get(space, {}), known, self._find)
        for key, shard in changes.items():
            is_there = before.get(key, None) is not None
            for how in self._compares[space]:
                same = compared(key, how)
                try:
                    known[how, same] = spelled(before.spellings(how, same), is_there, shard)
                except MapError:
                    known[how, same] = UNSURE
        return known

    def _find(self, space: str, key: str) -> ShardId | None:
        """Raises StoreUnavailableError."""
        if self._is_remote:  # the loop does not wait for another machine
            raise StoreUnavailableError("the gateway makes a new map of its directory", log="the map was changed")
        try:
            return self._store.find(space, key)
        except self._store.errors as error:
            why = f"the directory cannot be read: {error}"
            raise StoreUnavailableError("the gateway cannot use its store now", log=why) from error


def _held_with(
    tables: Mapping[str, OwnerTable], space: str, changes: Mapping[str, ShardId | None]
) -> dict[str, ShardId]:
    before = tables.get(space, {})
    assert isinstance(before, dict)
    after: dict[str, ShardId] = before.copy()
    for key, shard in changes.items():
        if shard is None:
            after.pop(key, None)
        else:
            after[key] = shard
    return after
