"""Containers that run: each is removed at the end of its block, whatever happened in it.

Holds: a container shares the network of this machine, and has no capability, no writable file of its own root, and no
way to gain rights.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.containers.engine import ContainersError, Engine

_HARDENED = ("--network=host", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all")
_NO_NEW_RIGHTS = "--security-opt=no-new-privileges"
_NO_TIMER = "--no-healthcheck"
"""podman would have systemd run the health check; here it is run when it is asked for."""
_POLL_S = 0.02
_NOTICED_S = 2.0
"""podman knows of the end of a process a moment after it."""


class Container:
    """One container, which was started at `started_at` (monotonic seconds)."""

    def __init__(self, engine: Engine, name: str, started_at: float) -> None:
        self.name = name
        self.started_at = started_at
        self._engine = engine

    def inspect(self) -> dict[str, Any]:
        """All that podman knows of it."""
        known: dict[str, Any] = json.loads(self._engine("container", "inspect", self.name))[0]
        return known

    @property
    def is_running(self) -> bool:
        """Whether its first process runs."""
        return bool(self.inspect()["State"]["Running"])

    @property
    def pid(self) -> int:
        """The process that is number 1 in it, as this machine numbers it."""
        return int(self.inspect()["State"]["Pid"])

    def signal(self, name: str) -> None:
        """Send a signal to its first process: `TERM`. One that has ended needs none.

        Raises ContainersError where it runs, and gets no signal.
        """
        try:
            self._engine("kill", f"--signal={name}", self.name)
        except ContainersError as error:
            until(lambda: not self.is_running, _NOTICED_S, f"{error}\n{self.name} still runs")

    def wait(self, within_s: float) -> int:
        """Wait for its end. Returns its exit code. Raises ContainersError where it does not end in time."""
        until(lambda: not self.is_running, within_s, f"{self.name} still runs")
        return int(self.inspect()["State"]["ExitCode"])

    def logs(self) -> str:
        """What it wrote to stdout and stderr."""
        return self._engine("logs", self.name, both=True)

    def execute(self, *command: str) -> str:
        """Run a program in it. Returns what it printed. Raises ContainersError where it fails."""
        return self._engine("exec", self.name, *command)

    def is_healthy(self) -> bool:
        """Whether the image's own health check passes now."""
        image = json.loads(self._engine("image", "inspect", self.inspect()["Image"]))[0]
        kind, *command = (image.get("Healthcheck") or image["Config"]["Healthcheck"])["Test"]
        try:
            self.execute(*command)
        except ContainersError:
            return False
        return str(kind) == "CMD"


@contextmanager
def running(
    engine: Engine,
    image: str,
    name: str,
    *,
    environment: Mapping[str, str] | None = None,
    mounts: Mapping[Path, str] | None = None,
    options: Sequence[str] = (),
    command: Sequence[str] = (),
) -> Iterator[Container]:
    """A container of an image. `mounts`: path here → path there, with `:ro` where it is only read."""
    given = [f"--env={variable}={value}" for variable, value in (environment or {}).items()]
    given += [f"--volume={here}:{there}" for here, there in (mounts or {}).items()]
    engine("rm", "--force", "--ignore", name)  # of a run that was killed
    started_at = time.monotonic()
    try:
        engine(
            "run",
            "--detach",
            f"--name={name}",
            *_HARDENED,
            _NO_NEW_RIGHTS,
            _NO_TIMER,
            *given,
            *options,
            image,
            *command,
        )
        yield Container(engine, name, started_at)
    finally:
        engine("rm", "--force", "--ignore", "--time=0", name)


def until(holds: Callable[[], bool], within_s: float, otherwise: str) -> None:
    """Wait for a condition. Raises ContainersError where it does not hold in time."""
    ends_at = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends_at:
            raise ContainersError(f"{otherwise} after {within_s:g} s")
        time.sleep(_POLL_S)
