"""Go on net/http, our own (`bench/peers/go`): what a careful engineer writes without a framework."""

from pathlib import Path

from bench.peers import CACHE, Command, Say, Site, Work
from bench.peers.golang import build, go_version

_MODULE = Path(__file__).resolve().parent / "go"
_ONE_CORE = {"GOMAXPROCS": "1"}


class GoRelay:
    """A reverse proxy."""

    works = frozenset({Work.RELAY})

    def __init__(self, name: str, handler: str) -> None:
        self.name = name
        self._handler = handler

    def install(self, cache: Path, say: Say) -> str:
        """Build it."""
        build(_MODULE, "./relay", cache / "relay", say)
        return go_version()

    def command(self, site: Site) -> Command:
        """With a shard to relay to."""
        options = [f"-listen=127.0.0.1:{site.port}", f"-shard=127.0.0.1:{site.shards[0]}", f"-handler={self._handler}"]
        return Command([str(CACHE / "relay"), *options], _ONE_CORE)


class GoAggregator:
    """Sorts and pages as shardgate does; rows are json.RawMessage or map[string]any."""

    works = frozenset({Work.GATHER, Work.LIST})

    def __init__(self, name: str, rows: str) -> None:
        self.name = name
        self._rows = rows

    def install(self, cache: Path, say: Say) -> str:
        """Build it."""
        build(_MODULE, "./aggregate", cache / "aggregate", say)
        return go_version()

    def command(self, site: Site) -> Command:
        """With all shards."""
        shards = ",".join(f"127.0.0.1:{port}" for port in site.shards)
        options = [f"-listen=127.0.0.1:{site.port}", f"-shards={shards}", f"-rows={self._rows}"]
        return Command([str(CACHE / "aggregate"), *options], _ONE_CORE)
