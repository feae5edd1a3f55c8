"""Starts the services of compose.yaml by podman, on a network of their own, and ends them all.

A container knows those that were started before it by their names, as in compose. Ports are not published: what is
asked, is asked at the containers' own addresses.

Holds: whatever happens, containers, volumes and network are removed at the end.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from proof.compose.composed import Service
from proof.compose.images import Found
from tools.containers.container import until
from tools.containers.engine import ContainersError, Engine

PREFIX = "shardgate-compose"
STARTED_S = 180.0
"""Also on a machine that has much else to do."""


class Started(msgspec.Struct, frozen=True):
    """A service that was started."""

    service: Service
    container: str
    address: str


class Stack:
    """All services that were started."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """`folder`: that of compose.yaml, to which its paths are relative."""
        self._engine = engine
        self._folder = folder
        self.started: dict[str, Started] = {}

    def __enter__(self) -> Self:
        self._remove()  # of a run that was killed
        self._engine("network", "create", PREFIX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for each in self.started.values():
                print(f"--- {each.service.name}:\n{self.logs(each.service.name)[-1500:]}")
        self._remove()

    def start(self, service: Service, found: Found) -> None:
        """Start it once those that it needs are as it wants them. Raises ContainersError."""
        for name, condition in service.needs.items():
            self._await(name, condition)
        container = f"{PREFIX}-{service.name}"
        environment = {**service.environment, **({"PATH": found.path} if found.path else {})}
        options = [f"--env={name}={value}" for name, value in environment.items()]
        options += [f"--volume={self._volume(each)}" for each in service.volumes]
        options += [f"--add-host={name}:{each.address}" for name, each in self.started.items() if each.address]
        options += ["--read-only", "--read-only-tmpfs=false"] if service.is_read_only else []
        options += [f"--user={service.user}"] if service.user else []
        self._engine(
            "run", "--detach", f"--name={container}", f"--hostname={service.name}", f"--network={PREFIX}",
            "--no-healthcheck", f"--stop-timeout={service.stop_s}", *options, *service.options, found.image,
            *(found.command or service.command),
        )  # fmt: skip
        known = json.loads(self._engine("container", "inspect", container))[0]
        address = known["NetworkSettings"]["Networks"][PREFIX]["IPAddress"]
        self.started[service.name] = Started(service, container, address)

    def await_healthy(self, name: str) -> None:
        """Wait for a service's own health check. Raises ContainersError."""
        self._await(name, "service_healthy")

    def run_in(self, name: str, *command: str) -> str:
        """Run a program in a service's container."""
        return self._engine("exec", self.started[name].container, *command)

    def stop(self, name: str) -> int:
        """Stop a service as compose does; returns its exit code."""
        container = self.started[name].container
        self._engine("stop", f"--time={self.started[name].service.stop_s}", container)
        return int(json.loads(self._engine("container", "inspect", container))[0]["State"]["ExitCode"])

    def logs(self, name: str) -> str:
        """What a service wrote."""
        return self._engine("logs", self.started[name].container, both=True)

    def _await(self, name: str, condition: str) -> None:
        each = self.started[name]
        if condition == "service_completed_successfully":
            until(lambda: not self._state(name)["Running"], STARTED_S, f"{name} still runs")
            if (code := self._state(name)["ExitCode"]) != 0:
                raise ContainersError(f"{name} ended with {code}")
        elif condition == "service_healthy" and each.service.health is not None:
            until(lambda: self._is_healthy(name), STARTED_S, f"{name} is not healthy")

    def _is_healthy(self, name: str) -> bool:
        each = self.started[name]
        if not self._state(name)["Running"]:
            raise ContainersError(f"{name} ended with {self._state(name)['ExitCode']}")
        try:
            self.run_in(name, *(each.service.health.command if each.service.health is not None else ["true"]))
        except ContainersError:
            return False
        return True

    def _state(self, name: str) -> dict[str, int]:
        known: dict[str, int] = json.loads(self._engine("container", "inspect", self.started[name].container))[0][
            "State"
        ]
        return known

    def _volume(self, given: str) -> str:
        source, target, *mode = given.split(":")
        place = f"{PREFIX}-{source}" if "/" not in source else str((self._folder / source).resolve())
        return ":".join([place, target, *mode])

    def _remove(self) -> None:
        names: Sequence[str] = self._engine("ps", "--all", "--format={{.Names}}").split()
        for name in names:
            if name.startswith(f"{PREFIX}-"):
                self._engine("rm", "--force", "--ignore", "--time=0", name)
        for volume in self._engine("volume", "ls", "--format={{.Name}}").split():
            if volume.startswith(f"{PREFIX}-"):
                self._engine("volume", "rm", "--force", volume)
        if PREFIX in self._engine("network", "ls", "--format={{.Name}}").split():
            self._engine("network", "rm", "--force", PREFIX)
