"""A locator that is a plug-in. config/plugins.py makes the plug-in when the configuration is read.

Holds: what the plug-in returns is checked (core/guard.py says what becomes of errors). A key that cannot be a segment
of a path is never asked for, as with `probe`.
Never: imports anything.
"""

import re
from collections.abc import Iterable
from typing import Any

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Strategy, Unknown
from shardgate.core.guard import call, misfit
from shardgate.core.topology import ShardId
from shardgate.core.wire.path import is_segment

_PATH = re.compile(r"/[!-\"$-~]*")


class CustomLocator(Strategy, frozen=True, tag="custom"):
    """`{kind: custom, class: "package.module:Class", options: {…}}`, or `{kind: NAME, …}` of an entry point."""

    named: str
    """The plug-in's name for the log: `package.module:Class`."""
    plugin: Any
    """The Locator."""
    pins: tuple[ShardId, ...] = ()
    """What its `pinned` returned, where it has that method, when the configuration was read."""

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.pins

    def locate(self, space: str, key: str, known: Known) -> ShardId | AskAll | Unknown:
        """The shard that holds the key, as the plug-in says. Raises PluginError."""
        place = call(self.named, self.plugin, "locate", space, key, known)
        if place is UNKNOWN or isinstance(place, str):
            return place
        if not isinstance(place, AskAll) or place.bulk is not None:
            raise misfit(self.named, "locate", place, "the name of a shard, UNKNOWN or AskAll(path)")
        if not is_segment(key):
            return UNKNOWN
        if not isinstance(place.path, str) or not _PATH.fullmatch(place.path):
            raise misfit(self.named, "locate", place, "a path from `/` on with the key quoted: `quote(key, safe='')`")
        return place
