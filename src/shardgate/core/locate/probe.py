"""Nobody knows: ask every shard. The one that has it answers; on two it is an alarm, never a guess."""

from urllib.parse import quote

from shardgate.core.contracts import AskAll, Known, Strategy


class Probe(Strategy, frozen=True, tag="probe"):
    """Ask all shards for `path`, in which `{key}` stands for the key."""

    path: str

    def locate(self, space: str, key: str, known: Known) -> AskAll:
        """The path to ask for."""
        return AskAll(self.path.replace("{key}", quote(key, safe="")))
