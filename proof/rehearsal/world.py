"""What runs in a rehearsal: the platform's shards, a runtime for the gateway, the balancer and production behind it.

*Holds:* everything ends with its `with` block, in the opposite order; also on Ctrl-C and SIGTERM.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from proof.data import prepare
from proof.rehearsal.balancer import Balancer
from proof.rehearsal.platform import Platform
from proof.rehearsal.production import LocalProduction, await_ready
from proof.rehearsal.runtime import Instance, Processes, Runtime
from proof.rehearsal.slots import Colour, Slot, slots_of
from proof.rehearsal.versions import Site, Version, write
from tools.containers.engine import Engine
from tools.delivery.deployment import Check, Deploying, Deployment, MachineClock, Plan

SCALE, SHARDS = 0.02, 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """The real image, and the store that it is in."""

    engine: Engine
    image: str


@dataclass(frozen=True)
class Place:
    """A platform, and what runs gateways before it."""

    platform: Platform
    runtime: Runtime
    folder: Path

    def build(self, version: Version) -> str:
        """Make a version that can be started here. Returns what it is, in words."""
        layer = write(version, Site(self.platform.shards, self.runtime.data), self.folder / "layers" / version.name)
        return self.runtime.build(version.name, layer)


@contextmanager
def open_place(folder: Path, built: Built | None) -> Iterator[Place]:
    """The shards on a copy of the data of their own, and the runtime."""
    data = prepare(SCALE, SHARDS).copy(folder / "data")
    own = folder / "gateway"  # what a gateway may write, and nothing else
    own.mkdir(parents=True)
    data.directory.rename(own / "directory.db")
    with ExitStack() as stack:
        platform = stack.enter_context(Platform(data, folder / "logs"))
        runtime = stack.enter_context(_runtime(folder / "logs", own, platform, built))
        yield Place(platform, runtime, folder)


def _runtime(logs: Path, own: Path, platform: Platform, built: Built | None) -> "AbstractContextManager[Runtime]":
    if built is None:
        return nullcontext(Processes(logs, own, platform.secrets))
    from proof.rehearsal.containers import Containers  # noqa: PLC0415

    return Containers(built.engine, built.image, own, platform.secrets)


@contextmanager
def open_staging(place: Place, version: Version) -> Iterator[str]:
    """One instance without clients. Raises RefusedError where it does not become ready."""
    slot = Slot.free(f"staging-{version.name}")
    instances: list[Instance] = []
    try:
        instances.append(place.runtime.start(version.name, slot))
        await_ready(instances, [slot])
        yield slot.url
    finally:
        for instance in instances:
            instance.stop()


@dataclass(frozen=True)
class World:
    """Production: clients reach it through the balancer."""

    place: Place
    balancer: Balancer
    production: LocalProduction

    def begin(self, version: Version) -> None:
        """The first version of all."""
        self.production.start(version.name)
        self.production.shift(100)
        self.production.keep()

    def deploy(self, version: Version, checks: Sequence[Check], plan: Plan, say: Say) -> Deployment:
        """A later version."""
        return Deploying(self.production, version.name, checks, plan, MachineClock(), say).run()


@contextmanager
def open_world(place: Place) -> Iterator[World]:
    """The balancer, and two sets that are empty yet."""
    sets: dict[Colour, Sequence[Slot]] = {"blue": slots_of("blue"), "green": slots_of("green")}
    with Balancer(place.folder, sets) as balancer:
        production = LocalProduction(place.runtime, balancer, sets)
        try:
            yield World(place, balancer, production)
        finally:
            production.end()
