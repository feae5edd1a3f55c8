"""A locator: keys are numbers, and each shard has a range of them."""

from collections.abc import Iterable, Mapping

from shardgate.extend import UNKNOWN, Known, Strategy, Unknown


class Ranges(Strategy, frozen=True):
    """The first shard of `up_to` whose last key is not below the key."""

    up_to: Mapping[str, int]
    """Shard → its last key, the lowest first."""

    def pinned(self) -> Iterable[str]:
        return self.up_to

    def locate(self, space: str, key: str, known: Known) -> str | Unknown:
        if not (key.isascii() and key.isdigit() and len(key) <= 18):
            return UNKNOWN
        return next((shard for shard, last in self.up_to.items() if int(key) <= last), UNKNOWN)
