"""What an application must say of itself to be compared: the one class that a new application derives from.

    class Notes(Application):
        name = "notes"                                # of `examples/notes/` and of its row in the table
        title = "Notes 3.1 on SQLite"                 # what was installed, with its version
        ready = "/health"                             # answers below 500 when an instance is ready

        def install(self) -> None:                    # once a machine; raises CannotRunError
            self.python = installing.python_environment(self.cache, self.example / "requirements.txt")

        def prepare(self, instance: Instance) -> None:   # writes the database of one instance into its folder
            seed(instance.folder / "notes.db", rows_of(instance.shards))

        def command(self, instance: Instance) -> Command:
            return Command([self.python, "-m", "notes", "--port", str(instance.port)], {"DB": "notes.db"})

        def ask(self, both: Both, chance: Random) -> None:   # the requests, in the order in which they are sent
            both.ask("list", "GET", "/notes?limit=5")
            both.ask("create", "POST", "/notes", body={"text": "a"}, keep={"new": Kept("body.id", RANDOM_ID)})
            both.ask("item", "GET", "/notes/@{new}")

Holds: the configuration is the example's own, but for addresses. An application has no code that helps the gateway.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import yaml

from proof.data import ROOT
from proof.strangers.both import Both

CACHE = ROOT / ".strangers"
"""What is installed stays here, and so does what the last run of each application left: logs, databases, a report."""

MONOLITH = "monolith"


@dataclass(frozen=True)
class Instance:
    """One instance that is about to run."""

    name: str
    """`monolith`, or the name of its shard."""
    shards: frozenset[str]
    """Whose data it has: one shard's, or that of all."""
    folder: Path
    """Its own, empty at first; the working directory of its process."""
    port: int
    """The one to listen on, on 127.0.0.1."""


@dataclass(frozen=True)
class Command:
    """How an instance is started."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Besides the environment of this process."""


class Application(ABC):
    """An application that is compared with itself."""

    name: ClassVar[str]
    """Of its folder below `examples/`, and of its row in the table."""
    title: ClassVar[str]
    """What runs: the application, its version, its database."""
    ready: ClassVar[str] = "/"
    """A path that an instance answers with a status below 500 once it is ready."""
    ready_timeout_s: ClassVar[float] = 60.0
    seed: ClassVar[int] = 1143
    """Of the chance that makes the requests; `--seed` gives another."""

    @property
    def example(self) -> Path:
        """Its example: `shardgate.yaml`, README.md, and what pins the versions."""
        return ROOT / "examples" / self.name

    @property
    def cache(self) -> Path:
        """Where it installs itself."""
        return CACHE / self.name / "installed"

    @property
    def config(self) -> dict[str, Any]:
        """The example's configuration."""
        loaded: dict[str, Any] = yaml.safe_load((self.example / "shardgate.yaml").read_text(encoding="utf-8"))
        return loaded

    @property
    def shards(self) -> tuple[str, ...]:
        """The names of the shards, as the configuration has them."""
        return tuple(self.config["shards"])

    @abstractmethod
    def install(self) -> None:
        """Install it into `cache`, unless it is there. Raises CannotRunError where this machine cannot."""

    @abstractmethod
    def prepare(self, instance: Instance) -> None:
        """Write the data of one instance: what belongs to its shards, and what belongs to nobody."""

    @abstractmethod
    def command(self, instance: Instance) -> Command:
        """How the instance is started; it must stay in the foreground."""

    def after_start(self, instance: Instance) -> None:  # noqa: B027 - most have nothing to do
        """Seed it through its own API, where it has no other way. Called once it is ready."""

    def prepare_gateway(self, folder: Path) -> None:  # noqa: B027 - most have nothing to do
        """Write what the configuration names and the example does not have: a directory, a secret."""

    @abstractmethod
    def ask(self, both: Both, chance: Random) -> None:
        """Send the requests."""
