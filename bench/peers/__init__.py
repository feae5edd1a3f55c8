"""The peers that shardgate is measured beside, one small module each, and the contract that they all keep.

A peer says what it can do, sets itself up below `.bench/`, and gives the command that starts it; who starts, pins,
counts and ends processes is `bench/processes.py`, the same for all. A peer that cannot be had on this machine raises
MissingError with the words that say how to get it; it is then named as missing, and no figure of it is guessed.

To add one: a module with a class that keeps `Peer`, and a line in `bench/peers/roster.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

CACHE = Path(__file__).resolve().parents[2] / ".bench"
"""Where peers build and download: binaries, and virtual environments of their own."""

Say = Callable[[str], None]
"""Tells whoever waits what is being done; a line for each slow step."""


class Work(StrEnum):
    """What a peer can do.

    RELAY: `GET /v3/events/{id}` goes to `shards[0]` (any shard answers alike), the reply passes.
    GATHER: `GET /v3/events?made=R&order=name&limit=N` is asked of every shard; the reply is a JSON array with the first
    N rows of all of them, by `name` and then `id`, each row's values unchanged, and `X-Total_Count` with the sum of the
    shards'. `rows` (how many rows each shard answers) passes as it is.
    LIST: the same with a limit above all rows: the whole list. Order and count are not asked for: all a peer can do
    that merges and does not know order or pages.
    """

    RELAY = "relay"
    GATHER = "gather"
    LIST = "list"


class MissingError(Exception):
    """A peer cannot be had here. The text says how to get it: `apt install nginx`."""


class Site(msgspec.Struct, frozen=True):
    """Where a peer is to run. The runner pins it to its core, and ends it with all its children."""

    port: int
    """Listen here, on 127.0.0.1."""
    shards: Sequence[int]
    """The shards' ports on 127.0.0.1."""
    folder: Path
    """An empty folder for configuration and logs, gone when the run ends."""


class Command(msgspec.Struct, frozen=True):
    """How a peer is started, in the foreground."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = {}
    """Added to the runner's own."""
    cores: int = 1
    """How many it would use; all peers that are compared with each other use one."""


class Peer(Protocol):
    """A gateway that can be measured."""

    @property
    def name(self) -> str:
        """As it stands in the table: `nginx`, `Go relay`."""

    @property
    def works(self) -> frozenset[Work]:
        """What it can do."""

    def install(self, cache: Path, say: Say) -> str:
        """Set it up below `cache` (quick when it is there already) and return its version.

        Raises MissingError where that is not possible here.
        """

    def command(self, site: Site) -> Command:
        """What starts it, after `install`. It is ready when it accepts connections on `site.port`."""
