"""Asks every shard for the key. The shard that has it owns it; a key on two shards is an error, never a guess."""

from urllib.parse import quote

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Strategy, Unknown
from shardgate.core.locate.segment import is_segment


class Probe(Strategy, frozen=True, tag="probe"):
    """Ask all shards for `path`, in which `{key}` stands for the key."""

    path: str
    """What every shard is asked; `{key}` stands for the key: `/events/{key}`."""

    def locate(self, space: str, key: str, known: Known) -> AskAll | Unknown:
        """The path to ask for; UNKNOWN for a key that cannot be a path segment, so that no other path is ever asked."""
        if not is_segment(key):
            return UNKNOWN
        return AskAll(self.path.replace("{key}", quote(key, safe="")))
