"""Asks every shard for the key. The shard that has it owns it; a key on two shards is an error, never a guess."""

from typing import Literal

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Strategy, Unknown
from shardgate.core.locate.bulk import Bulk
from shardgate.core.locate.compare import compared
from shardgate.core.wire.path import filled, segment


class Probe(Strategy, frozen=True, tag="probe"):
    """Ask all shards for `path`, in which `{key}` stands for the key."""

    path: str
    """What every shard is asked; `{key}` stands for the key: `/events/{key}`."""
    bulk: Bulk | None = None
    """How a list tells which of many keys a shard has. Without it, each key of a divided body is asked for alone."""
    encoded_slash: bool = False
    """A key may have a slash, and is asked for with `%2F`: `/projects/group%2Fproject`. For applications that read that
    as a part of the segment (`encoded_slash: value`)."""
    compare: Literal["text", "link"] = "text"
    """With `link`, the key is the last segment of a URL's path: `/vendors/acme` asks for `acme`."""
    by_headers: bool = False
    """The path names no key, `/me`: the client's own headers are sent with it, and a shard that accepts them knows the
    session or the token."""

    def locate(self, space: str, key: str, known: Known) -> AskAll | Unknown:
        """The path to ask for; UNKNOWN for a key that cannot be a path segment, so that no other path is ever asked."""
        if self.by_headers:
            return AskAll(self.path)
        key = compared(key, self.compare)
        path = filled(self.path, {"key": key})
        if path is None and self.encoded_slash:
            path = self._with_slashes(key)
        return UNKNOWN if path is None else AskAll(path, self.bulk)

    def _with_slashes(self, key: str) -> str | None:
        """The path for a key of several pieces; None where one of them cannot be a segment."""
        pieces = [piece for each in key.split("/") if (piece := segment(each)) is not None]
        return self.path.replace("{key}", "%2F".join(pieces)) if len(pieces) == key.count("/") + 1 else None
