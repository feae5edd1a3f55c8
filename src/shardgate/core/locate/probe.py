"""Asks every shard for the key. The shard that has it owns it; a key on two shards is an error, never a guess."""

from typing import Literal

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Strategy, Unknown
from shardgate.core.locate.compare import compared
from shardgate.core.path import filled


class Probe(Strategy, frozen=True, tag="probe"):
    """Ask all shards for `path`, in which `{key}` stands for the key."""

    path: str
    """What every shard is asked; `{key}` stands for the key: `/events/{key}`."""
    compare: Literal["text", "link"] = "text"
    """With `link`, the key is the last segment of a URL's path: `/vendors/acme` asks for `acme`."""
    by_headers: bool = False
    """The path names no key, `/me`: the client's own headers are sent with it, and a shard that accepts them knows the
    session or the token."""

    def locate(self, space: str, key: str, known: Known) -> AskAll | Unknown:
        """The path to ask for; UNKNOWN for a key that cannot be a path segment, so that no other path is ever asked."""
        if self.by_headers:
            return AskAll(self.path)
        path = filled(self.path, {"key": compared(key, self.compare)})
        return UNKNOWN if path is None else AskAll(path)
