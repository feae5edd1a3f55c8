"""Tables key → shard of a space with many keys: what changed lately, then a map; or the store itself.

Both are what a topology's `directory` has in place of a dict.

Holds: they never say a wrong shard, and of a key that the directory has never that it is unknown: where they cannot
tell, they raise StoreUnavailableError.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeVar, cast

from shardgate.core.contracts import Unknown
from shardgate.core.eldest import drop_oldest
from shardgate.core.errors import StoreUnavailableError
from shardgate.core.locate.compare import Compare, ComparedShards, ComparingTable, compared
from shardgate.core.topology import OwnerTable, ShardId
from shardgate.store.directory_map import DirectoryMap, MapError, equal_prefix, key_prefix
from shardgate.store.map_writer import DISPUTED, EQUAL, EQUALS

D = TypeVar("D")

UNSURE: Final = "?"
"""A key changed that had several spellings: only a new map can tell what they have in common."""
HOT_KEYS_MAX: Final = 20_000  # 3 MB; to ask the file costs 10 µs, to ask a dict 0.1


_IS_MADE: Final = "the gateway makes a new map of its directory, by which it compares keys"


class _Missing(Enum):
    MISSING = 0


_MISSING: Final = _Missing.MISSING

FindInStore = Callable[[str, str], ShardId | None]
"""The shard of a key of a space, asked of the store. Raises StoreUnavailableError."""


class MappedOwners:
    """The keys of one space: those that changed since the map was made, and the map."""

    __slots__ = ("_changed", "_equals", "_find_in_store", "_hot", "_map", "_prefix", "_space")

    def __init__(
        self,
        space: str,
        of: DirectoryMap,
        changed: Mapping[str, ShardId | None],
        equals: Mapping[tuple[str, str], str],
        find_in_store: FindInStore,
    ) -> None:
        """`changed`: None for a key that was removed.

        `equals`: what is known of keys as they compare, instead of what the map says.
        """
        self._space = space
        self._map = of
        self._prefix = key_prefix(space)
        self._hot = of.hot.setdefault(self._prefix, {})
        self._changed = changed
        self._equals = equals
        self._find_in_store = find_in_store

    def get(self, key: str, default: D) -> ShardId | D:
        """The shard of a key. Raises StoreUnavailableError."""
        shard = self._changed.get(key, _MISSING)
        if shard is _MISSING:
            shard = self._hot.get(key)
            if shard is None:
                shard = self._read(key)
        return default if shard is None else shard

    def equal(self, key: str, how: Compare, default: D) -> ShardId | D:
        """The shard of the keys that compare equal; the default where they have different ones."""
        same = compared(key, how)
        shard = self.get(key, None) or self.get(same, None)
        if shard is not None:
            return shard
        try:
            found = self.spellings(how, same)
        except MapError as error:
            raise StoreUnavailableError(_IS_MADE, log=str(error)) from error
        if found == UNSURE:
            raise StoreUnavailableError(_IS_MADE, log=f"the keys of {self._space} that compare equal have changed")
        return default if found in {"", DISPUTED} else found[1:]

    def spellings(self, how: Compare, same: str) -> str:
        """What is known of all keys that compare equal: as the map has it, UNSURE, or nothing. Raises MapError."""
        known = self._equals.get((how, same))
        return known if known is not None else self._mapped(equal_prefix(self._space, how), same) or ""

    def _read(self, key: str) -> ShardId | None:
        try:
            shard = self._mapped(self._prefix, key)
        except MapError:
            return self._find_in_store(self._space, key)
        if shard is not None:
            if len(self._hot) >= HOT_KEYS_MAX:
                drop_oldest(self._hot)
            self._hot[key] = shard
        return shard

    def _mapped(self, prefix: bytes, key: str) -> str | None:
        return self._map.find(prefix + key.encode("utf-8", "surrogatepass"))


class BehindOwners:
    """The keys of one space as they were at an epoch from which the log does not lead to the present one.

    Those that were known stay in force until a map is there. Whether another one is known by now cannot be told.
    """

    __slots__ = ("_owners", "_space")

    def __init__(self, space: str, owners: OwnerTable) -> None:
        self._space = space
        self._owners = owners

    def get(self, key: str, default: D) -> ShardId | D:
        """The shard of a key. Raises StoreUnavailableError where it was not known."""
        shard = self._owners.get(key, None)
        return self._refused() if shard is None else shard

    def equal(self, key: str, how: Compare, default: D) -> ShardId | D:
        """The shard of the keys that compare equal. Raises StoreUnavailableError where it was not known."""
        shard = _EQUAL.find(cast("ComparingTable", self._owners), key, how)
        return self._refused() if isinstance(shard, Unknown) else shard

    def _refused(self) -> ShardId:
        why = f"many keys of {self._space} have changed, and the map of them is not there yet"
        raise StoreUnavailableError("the gateway makes a new map of its directory", log=why)


_EQUAL = ComparedShards()


class StoredOwners:
    """The keys of one space, asked of the store one by one, until there is a map."""

    __slots__ = ("_find_in_store", "_space")

    def __init__(self, space: str, find_in_store: FindInStore) -> None:
        self._space = space
        self._find_in_store = find_in_store

    def get(self, key: str, default: D) -> ShardId | D:
        """The shard of a key, as the store has it now. Raises StoreUnavailableError."""
        shard = self._find_in_store(self._space, key)
        return default if shard is None else shard

    def equal(self, key: str, how: Compare, default: D) -> ShardId | D:
        """The shard of the keys that compare equal. Raises StoreUnavailableError where only the map can tell."""
        shard = self.get(key, None) or self.get(compared(key, how), None)
        if shard is None:
            raise StoreUnavailableError(_IS_MADE, log=f"there is no map yet, by which keys of {self._space} compare")
        return shard


def spelled(before: str, is_there: bool, shard: ShardId | None) -> str:
    """What is known of all keys that compare equal, after one of them got a shard, or None.

    `before`: what was known. `is_there`: this very spelling was in the directory.
    """
    if shard is None and not is_there:
        return before
    if before == "" or (before.startswith(EQUAL) and is_there):
        return "" if shard is None else EQUAL + shard
    if before in {DISPUTED, UNSURE} or shard is None:  # how many spellings are left is not known
        return UNSURE
    return EQUALS + shard if before[1:] == shard else DISPUTED
